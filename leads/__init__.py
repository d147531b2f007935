"""Leads: registration of their contacts, identities, merging, editing, erasure, export; API and back-office pages."""
