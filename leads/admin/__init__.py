"""The back-office pages of leads and possible duplicates."""

from leads.admin import duplicates, leads

__all__ = ["duplicates", "leads"]
