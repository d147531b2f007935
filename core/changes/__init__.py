"""Changes of configuration: who changed what, when, which way and why. Written by the functions that change it."""
