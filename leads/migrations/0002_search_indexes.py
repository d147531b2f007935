"""On PostgreSQL a part of a name or an identity is found by an index of its trigrams; SQLite reads all rows."""

from django.db import migrations

from core.db.search import index_trigrams

INDEXES = {
    "lead_name_parts": "leads_lead USING gin (upper(name) gin_trgm_ops)",
    "identity_value_parts": "leads_identity USING gin (upper(value) gin_trgm_ops)",
}


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]

    operations = [index_trigrams(INDEXES)]
