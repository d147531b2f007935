"""Operators: duty, limit and load. The lowest domain package: its models and `load` know nothing of routing."""
