"""The back-office pages of sources, contacts and changes of configuration."""

from routing.admin import changes, contacts, sources

__all__ = ["changes", "contacts", "sources"]
