"""The back-office pages of notifications."""

from notifications.admin import messenger, webhooks

__all__ = ["messenger", "webhooks"]
