"""On PostgreSQL a part of a name or an identity is found by an index of its trigrams; SQLite reads all rows.

Both indexes are on an expression that only searches use: since PostgreSQL 14 an index of trigrams also answers `=`, and
on the bare column the planner took it for looking up identities, a thousand times slower than their unique index.
"""

import logging

from django.db import Error, migrations, transaction

log = logging.getLogger(__name__)

INDEXES = {
    "lead_name_parts": "leads_lead USING gin (upper(name) gin_trgm_ops)",
    "identity_value_parts": "leads_identity USING gin (upper(value) gin_trgm_ops)",
}


def create_indexes(apps, schema_editor):
    """Without the right to create the extension pg_trgm the service works, and its searches read all rows."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error as error:
        log.warning("Searching for a part of a name stays slow, see docs/operations.md: %s", error)
        return
    for name, definition in INDEXES.items():
        schema_editor.execute(f"CREATE INDEX {name} ON {definition}")


def drop_indexes(apps, schema_editor):
    """Keeps the extension, which others may use."""
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]

    operations = [migrations.RunPython(create_indexes, drop_indexes)]
