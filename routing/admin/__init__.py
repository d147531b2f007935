"""The back-office pages of sources and contacts."""

from routing.admin import contacts, sources

__all__ = ["contacts", "sources"]
