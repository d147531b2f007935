import random
from collections.abc import Iterator
from typing import Any

import pytest
import scale_data
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

CONTACTS, WAITING = 12_000, 300


@pytest.fixture(scope="package")
def year(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A year of contacts, written once for all tests here and rolled back after the last."""
    with django_db_blocker.unblock(), transaction.atomic():
        for _ in scale_data.write_year(count=CONTACTS, waiting=WAITING, now=timezone.now(), rng=random.Random(1)):
            pass
        scale_data.analyze()
        merge_pending_entries()
        connection.check_constraints()  # once, not after each test
        yield
        transaction.set_rollback(True)


def merge_pending_entries() -> None:
    """Does what autovacuum does after so many inserts. Unmerged entries are read in full by every search, so that the
    planner may rather read the table."""
    with connection.cursor() as cursor:
        for index in ("lead_name_parts", "identity_value_parts", "contact_message_words"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])


@pytest.fixture
def supervisor(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("vera"))
    return client
