import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient


def pytest_configure() -> None:
    """Static files are read from where they lie: nothing is collected, and no folder of the user's is touched.

    Keys are not required, as in the quick start; tests of keys require them (tests/access/conftest.py).
    """
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STATIC_ROOT = None
    settings.API_KEYS, settings.THROTTLE_PER_MINUTE = "open", 0
    # How long an example takes depends on what else the machine does.
    hypothesis.settings.register_profile("any-machine", hypothesis.settings.default, deadline=None)
    hypothesis.settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """On SQLite a real file, one for each process of tests: threads cannot race in a database in memory."""
    if connection.vendor == "sqlite":
        settings.DATABASES["default"]["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture
def api(db: None) -> APIClient:
    """A bot, as far as the HTTP contract goes."""
    return APIClient()
