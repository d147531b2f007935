"""The back-office: what a supervisor sees and does. Its pages call the same verbs as the API."""

from leads.admin import contacts, duplicates, leads, operators, sources

__all__ = ["contacts", "duplicates", "leads", "operators", "sources"]
