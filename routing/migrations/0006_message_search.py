"""On PostgreSQL a word of a message is found by an index of words; SQLite reads all rows."""

from django.db import migrations

from core.db.search import index_words


class Migration(migrations.Migration):
    dependencies = [("routing", "0005_upkeep_tallied_at")]

    operations = [index_words("contact_message_words", table="routing_contact", column="message")]
