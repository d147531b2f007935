import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.service.nginx import Nginx
from tests.service.own_postgresql import Server
from tests.service.running import Service, free_port, run

StartService = Callable[..., Service]


prepared: set[str] = set()  # the URLs of databases on which `manage.py prepare` has run
EARLIER = "css/of-an-earlier-version.0123456789ab.css"  # a static file


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
def own_database(folder: Path, *, copies: str = "") -> Iterator[str]:
    """The URL of one of the kind that this run of tests is about: empty, or like the one at the URL that it copies.

    Migrations take as long as all the rest of a start.
    """
    name = f"service_{uuid.uuid4().hex[:12]}"
    if connection.vendor == "sqlite":
        url = f"sqlite:///{folder}/{name}/db.sqlite3"
        if copies:
            (folder / name).mkdir()
            shutil.copy(copies.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
            prepared.add(url)
        yield url
        return
    server = settings.DATABASES["default"]
    user = f"{server['USER']}:{server['PASSWORD']}".rstrip(":")
    at = f"postgres://{user}@{server['HOST']}:{server['PORT'] or 5432}"
    with psycopg.connect(f"{at}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {copies.rpartition('/')[2] or 'template1'}")
        if copies:
            prepared.add(f"{at}/{name}")
        yield f"{at}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def template(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated database that is copied and never served."""
    folder = tmp_path_factory.mktemp("template")
    leave_as_after_an_earlier_version(Path(surroundings["STATIC_ROOT"]))
    with own_database(folder) as url:
        prepare(surroundings | {"DATABASE_URL": url, "DATA_DIR": str(folder), "PORT": str(free_port())})
        yield url


def prepare(env: dict[str, str]) -> None:
    """As the step `migrations` does in an update, with the umask of the service."""
    done = run("sh", "-c", f"umask 077 && exec {sys.executable} manage.py prepare", env=env)
    assert done.returncode == 0, done.stderr
    prepared.add(env["DATABASE_URL"])


def leave_as_after_an_earlier_version(static: Path) -> None:
    """The folder of static files, which all processes of the tests share, before the first of them collects there."""
    static.joinpath(EARLIER).parent.mkdir(parents=True, exist_ok=True)
    static.joinpath(EARLIER).write_text("p {}")
    with suppress(FileExistsError), static.with_name(f"{static.name}.collected").open("x") as stamp:
        stamp.write("another version")


@pytest.fixture
def unprepared() -> None:
    """For tests of a first start: the database is still empty."""


@pytest.fixture
def prepares() -> None:
    """For tests of what a start does first: `manage.py prepare` runs again, as in every start without `--prepared`."""


@pytest.fixture
def database_url(template: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """That of the test's own server, if it has one."""
    if own := {"server", "empty_server"} & set(request.fixturenames):
        yield request.getfixturevalue(own.pop()).url
        return
    is_served = "start" in request.fixturenames and "unprepared" not in request.fixturenames
    with own_database(tmp_path, copies=template if is_served else "") as url:
        yield url


@pytest.fixture
def another_database_url(tmp_path: Path) -> Iterator[str]:
    with own_database(tmp_path) as url:
        yield url


@pytest.fixture
def environment(surroundings: dict[str, str], database_url: str, tmp_path: Path) -> dict[str, str]:
    return surroundings | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(free_port()),
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StartService]:
    """Starts a service; keywords overrule its environment. What still runs at the end of the test is killed."""
    services: list[Service] = []
    prepares = "prepares" in request.fixturenames

    def begin(*arguments: str, **overrules: str) -> Service:
        log = tmp_path / f"log-{len(services)}"
        env = environment | overrules
        if not (prepares or arguments) and env["DATABASE_URL"] in prepared:
            arguments = ("--prepared",)
        services.append(Service(env, *arguments, log=log))
        return services[-1]

    yield begin
    for service in services:
        service.destroy()


@contextmanager
def own_server(**original: Server) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="crm-router-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), **original)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def empty_cluster() -> Iterator[Server]:
    """It is copied and never started: initdb takes longer."""
    with own_server() as server:
        yield server


@pytest.fixture(scope="session")
def prepared_cluster(
    empty_cluster: Server, surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Likewise, with a database that a service needs not prepare."""
    folder = tmp_path_factory.mktemp("prepared")
    with own_server(copies=empty_cluster) as server:
        server.start()
        prepare(surroundings | {"DATABASE_URL": server.url, "DATA_DIR": str(folder), "PORT": str(free_port())})
        server.stop()
        yield server


@contextmanager
def prepared_server(cluster: Server) -> Iterator[Server]:
    with own_server(copies=cluster) as server:
        prepared.add(server.url)
        yield server


@pytest.fixture
def server(prepared_cluster: Server) -> Iterator[Server]:
    """A PostgreSQL that is not running yet, with a prepared database."""
    with prepared_server(prepared_cluster) as server:
        yield server


@pytest.fixture
def empty_server(empty_cluster: Server) -> Iterator[Server]:
    """A PostgreSQL that is not running yet, on which nothing was done."""
    with own_server(copies=empty_cluster) as server:
        yield server


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


@contextmanager
def starting(surroundings: dict[str, str], template: str, folder: Path) -> Iterator[StartService]:
    """Starts services, with a prepared database each if none is named. They are killed in the end."""
    with ExitStack() as stack:

        def begin(**more: str) -> Service:
            place = folder / uuid.uuid4().hex
            place.mkdir()
            url = more.get("DATABASE_URL") or stack.enter_context(own_database(place, copies=template))
            own = {"DATABASE_URL": url, "DATA_DIR": str(place / "data"), "PORT": str(free_port())}
            service = Service(surroundings | own | more, "--prepared", log=place / "log")
            stack.callback(service.destroy)
            return service.wait_until_up()

        yield begin


@pytest.fixture(scope="module")
def start_for_all(
    surroundings: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartService]:
    """For services that the tests of a module share: they do not stop them, nor count on what else is in them."""
    with starting(surroundings, template, tmp_path_factory.mktemp("module")) as begin:
        yield begin


@pytest.fixture(scope="session")
def shared_service(
    surroundings: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Likewise, with the usual settings, for tests of all modules."""
    with starting(surroundings, template, tmp_path_factory.mktemp("shared")) as begin:
        yield begin()
