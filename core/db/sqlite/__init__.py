"""Django's SQLite, whose writers queue up."""
