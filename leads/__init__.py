"""Who asks: leads, their contacts, and everything that the outside world may do to them."""
