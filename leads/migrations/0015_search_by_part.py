import logging

from django.db import Error, migrations, transaction

log = logging.getLogger(__name__)

INDEXES = {
    "lead_name_parts": "leads_lead USING gin (upper(name) gin_trgm_ops)",
    "identity_value_parts": "leads_identity USING gin (value gin_trgm_ops)",
}


def index_parts(apps, schema_editor):
    """On PostgreSQL a part of a name or a number is found by the index of its trigrams, SQLite reads them all.

    So does a PostgreSQL without the extension pg_trgm: whoever may not create it is told how to come by the indexes.
    """
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
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")


def drop_indexes(apps, schema_editor):
    """The extension stays: somebody else may use it by now."""
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("leads", "0014_contact_waiting_by_reason"),
    ]

    operations = [
        migrations.RunPython(index_parts, drop_indexes),
    ]
