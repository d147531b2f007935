import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from leads import seeding

CONTACTS, WAITING = 12_000, 300


@pytest.fixture(scope="package")
def year(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A year of contacts, made once for all tests here and rolled back after the last."""
    with django_db_blocker.unblock(), transaction.atomic():
        for _ in seeding.seed(count=CONTACTS, waiting=WAITING, now=timezone.now(), rng=random.Random(1)):
            pass
        connection.check_constraints()  # once, and not after each test anew
        yield
        transaction.set_rollback(True)


@pytest.fixture
def supervisor(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("vera"))
    return client
