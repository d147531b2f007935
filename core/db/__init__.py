"""Database access: statements compiled once, and several writes in one statement.

Independent of the service's models.
"""
