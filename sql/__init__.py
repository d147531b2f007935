"""How the service speaks to its database; it knows none of the service's tables."""
