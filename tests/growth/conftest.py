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
        connection.check_constraints()  # once, not after each test
        yield
        transaction.set_rollback(True)


@pytest.fixture
def supervisor(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("vera"))
    return client
