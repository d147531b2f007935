"""How the service speaks to its database: statements compiled once, and several writes in one statement.

It knows none of the service's tables.
"""
