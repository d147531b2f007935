"""Webhooks: programs of customers that are called with each event."""
