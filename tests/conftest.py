import gc
import os
import time
from collections.abc import Generator
from itertools import chain, groupby, islice
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.test import APIClient

from tests import flushing, transactions

gc.disable()  # until all tests are loaded (pytest_collection_finish)
TESTS = Path(__file__).parent

# Tests run on both databases when they prove what a database does: locks, races, constraints, transactions, searches,
# filters, orders, migrations, statements that are compiled or written by hand, and the rules that rest on them. What a
# page looks like and who may see it, the form of an answer, parsers, settings, logs and documents are the same on both.
# Folders of the second kind run once, except tests marked `both`. Tests without a database run once in any folder.
RUN_ONCE = ("access", "accounts", "admin", "browser", "docs", "observability", "server")
LONG = ("network", "service", "simulation", "concurrency", "browser")  # marks or folders
USES_DATABASE = ("django_db", "service", "postgresql")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Marks tests before pytest deselects by `-m`, and orders them after pytest-randomly has shuffled them."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        named = any(map(item.get_closest_marker, ("both", "postgresql")))
        if not uses_database(item) or (folder in RUN_ONCE and not named):
            item.add_marker("once")
    yield
    items[:] = spread(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def spread(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Long tests come first in the part of each worker, so that none is the last: xdist cuts the list into such parts,
    and takes from the end of one for a worker that has finished.

    First those that change network links, for which browsers have to wait. Tests of a module stay together, because
    they share services, and so do those with a browser.
    """
    kinds = {kind: [item for item in items if kind_of(item) == kind] for kind in (*LONG, "")}
    browser, short = kinds.pop("browser"), iter(kinds.pop(""))
    heads: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for _, module in groupby(chain.from_iterable(kinds.values()), key=lambda item: item.path):
        min(heads, key=lambda head: len(head) + (len(browser) if head is heads[-1] else 0)).extend(module)
    heads[-1] += browser
    ordered: list[pytest.Item] = []
    for number, head in enumerate(heads):
        length = (len(items) - len(ordered)) // (workers - number)
        ordered += [*head, *islice(short, max(0, length - len(head)))]
    return [*ordered, *short]


def kind_of(item: pytest.Item) -> str:
    """Empty for a test that is not long."""
    folder = item.path.relative_to(TESTS).parts[0]
    return next((kind for kind in LONG if item.get_closest_marker(kind) or folder == kind), "")


def pytest_collection_finish() -> None:
    """Spares the collector of garbage what stays until the end: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def uses_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return any(map(item.get_closest_marker, USES_DATABASE)) or not {"db", "transactional_db"}.isdisjoint(fixtures)


def pytest_configure() -> None:
    """Static files are read from where they lie: nothing is collected, and no folder of the user's is touched.

    Keys are not required, as in the quick start; tests of keys require them (tests/access/conftest.py).
    """
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STATIC_ROOT = None
    settings.API_KEYS, settings.THROTTLE_PER_MINUTE = "open", 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # no test is about the hash
    # How long an example takes depends on what else the machine does.
    hypothesis.settings.register_profile("any-machine", hypothesis.settings.default, deadline=None)
    hypothesis.settings.load_profile("any-machine")
    transactions.start_watching()
    flushing.use_deletion()


@pytest.fixture(autouse=True)
def writes_are_in_attempts() -> Generator[None]:
    """See `tests.transactions`."""
    for noted in (transactions.committed, transactions.outside, transactions.left_early):
        noted.clear()
    yield
    assert transactions.outside == []
    assert transactions.left_early == []


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    """What pages keep in the process is of another database: see `core.admin.live.kept`."""
    cache.clear()


@pytest.fixture(autouse=True)
def connections_are_closed(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """A connection that a test leaves open in one of its threads would keep the database from being dropped."""
    yield
    if connection.vendor != "postgresql" or not uses_database(request.node):
        return
    if connection.connection is None or connection.needs_rollback:
        return
    with django_db_blocker.unblock():
        wait_until_alone()


def wait_until_alone(timeout: float = 60) -> None:
    give_up_at = time.monotonic() + timeout
    while others := other_sessions():
        assert time.monotonic() < give_up_at, f"Connections left open; their last statements: {others}"
        time.sleep(0.02)


def other_sessions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a test's transaction would see the same sessions again
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type IN ('client backend', 'autovacuum worker')"
        )
        return [query for (query,) in cursor.fetchall()]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """Drops the database when nothing else is connected, be it autovacuum, which takes a while to notice."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            wait_until_alone()
            connection.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """On SQLite a real file, one for each process of tests: threads cannot race in a database in memory."""
    if connection.vendor == "sqlite":
        settings.DATABASES["default"]["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture
def api(db: None) -> APIClient:
    """A bot, as far as the HTTP contract goes."""
    return APIClient()
