"""One start at a time migrates the database, and keeps no migration waiting."""

import pytest
from django.db import connection

from crm_router.management.commands import prepare


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_who_keeps_others_from_migrating_keeps_no_snapshot():
    """CREATE INDEX CONCURRENTLY, in a migration, would wait for it without end."""
    with prepare.alone_in_this_database(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT backend_xmin FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'SELECT pg_advisory_xact_lock%'"
        )
        assert cursor.fetchall() == [(None,)]
