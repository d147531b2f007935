import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.service.nginx import Nginx
from tests.service.own_postgresql import Server
from tests.service.running import Service, free_port, run

StartService = Callable[..., Service]


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of every start: this very virtual environment, and static files that are collected only once."""
    check = [sys.executable, "scripts/support/environment.py", "check", sys.prefix, "requirements.txt"]
    if run(*check, env=dict(os.environ)).returncode:
        pytest.fail("These tests need a virtual environment that scripts/test has made.")
    static = os.environ.get("STATIC_ROOT") or str(tmp_path_factory.mktemp("static"))
    ours = {"VENV": sys.prefix, "STATIC_ROOT": static}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return inherited | ours


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """Of the kind that this run of tests is about."""
    name = f"service_{uuid.uuid4().hex[:12]}"
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder}/{name}/db.sqlite3"
        return
    server = settings.DATABASES["default"]
    user = f"{server['USER']}:{server['PASSWORD']}".rstrip(":")
    at = f"postgres://{user}@{server['HOST']}:{server['PORT'] or 5432}"
    with psycopg.connect(f"{at}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield f"{at}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def template(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated database that is copied and never served."""
    folder = tmp_path_factory.mktemp("template")
    with empty_database(folder) as url:
        prepare = run(
            *(sys.executable, "manage.py", "prepare"),
            env=surroundings | {"DATABASE_URL": url, "DATA_DIR": str(folder), "PORT": str(free_port())},
        )
        assert prepare.returncode == 0, prepare
        yield url


def copy_database(source: str, target: str) -> None:
    """Fills an empty database: migrations take as long as all the rest of a start."""
    if connection.vendor == "sqlite":
        file, copy = (Path(url.removeprefix("sqlite:///")) for url in (source, target))
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(file, copy)
        return
    at, old, new = (*source.rsplit("/", 1), target.rpartition("/")[2])
    with psycopg.connect(f"{at}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {new}")
        admin.execute(f"CREATE DATABASE {new} TEMPLATE {old}")


@pytest.fixture
def unprepared() -> None:
    """For tests of a first start: the database is still empty."""


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as url:
        yield url


@pytest.fixture
def another_database_url(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as url:
        yield url


@pytest.fixture
def environment(surroundings: dict[str, str], database_url: str, tmp_path: Path) -> dict[str, str]:
    return surroundings | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(free_port()),
    }


@pytest.fixture
def start(
    environment: dict[str, str], template: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[StartService]:
    """Starts a service; keywords overrule its environment. What still runs at the end of the test is killed."""
    services: list[Service] = []
    if "unprepared" not in request.fixturenames:
        copy_database(template, environment["DATABASE_URL"])

    def begin(*arguments: str, **overrules: str) -> Service:
        log = tmp_path / f"log-{len(services)}"
        services.append(Service(environment | overrules, *arguments, log=log))
        return services[-1]

    yield begin
    for service in services:
        service.destroy()


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL that is not running yet."""
    with tempfile.TemporaryDirectory(prefix="crm-router-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def small_disk(server: Server) -> Iterator[Path]:
    """A file system of 32 MiB, on which the server may store."""
    disk = server.folder / "disk"
    disk.mkdir()
    owner = f"uid={server.identity['user']},gid={server.identity['group']}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=32m,mode=0700,{owner}", "none", disk], check=True)
    yield disk
    server.stop()
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Starts nginx in front of instances, by their ports."""
    started: list[Nginx] = []

    def begin(*instances: int, **unlike: str) -> Nginx:
        started.append(Nginx(tmp_path / "nginx", instances=list(instances), static=tmp_path, **unlike))
        return started[-1].start()

    yield begin
    for server in started:
        server.destroy()


@pytest.fixture
def service(start: StartService) -> Service:
    return start().wait_until_up()


@pytest.fixture(scope="session")
def shared_service(
    surroundings: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """For tests that need no service of their own: they do not stop it, and do not count on what else is in it."""
    folder = tmp_path_factory.mktemp("shared")
    with empty_database(folder) as url:
        copy_database(template, url)
        environment = {"DATABASE_URL": url, "DATA_DIR": str(folder / "data"), "PORT": str(free_port())}
        service = Service(surroundings | environment, log=folder / "log")
        try:
            yield service.wait_until_up()
        finally:
            service.destroy()
