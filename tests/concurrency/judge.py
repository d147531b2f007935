"""Judges every commit of a test, by triggers that scripts/soak has as well."""

from collections.abc import Iterator

import commit_judge
import pytest
from django.db import connection


@pytest.fixture
def judged(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(commit_judge.INSTALL)
    yield
    with connection.cursor() as cursor:
        cursor.execute(commit_judge.REMOVE)
