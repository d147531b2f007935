"""The Dockerfile, read by the rules of hadolint that apply, and its very steps in a plain folder."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from django.apps import apps

from tests.service.dockerfile import Stage, read, sent_to_the_engine, stages
from tests.service.running import PATIENCE, PROJECT, free_port, wait_until

pytestmark = pytest.mark.once

SHELL = ["/bin/sh", "-euc"]


def test_every_base_has_an_exact_version() -> None:
    for stage in stages():
        assert re.fullmatch(r"python:3\.1[1-3](\.\d+)?-slim-\w+(@sha256:[0-9a-f]{64})?", stage.base)


def test_all_stages_have_the_same_python() -> None:
    """A virtual environment works with the Python that made it only."""
    assert len({stage.base for stage in stages()}) == 1


def test_it_does_not_run_as_root() -> None:
    assert read().all("USER") == ["app"]
    assert any("useradd --uid 10001" in step for step in read().all("RUN"))


def test_its_instructions_are_the_careful_ones() -> None:
    words = {word for stage in stages() for word, _ in stage.steps}
    assert words <= {"LABEL", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    for stage in stages():
        assert all(folder.startswith("/") for folder in stage.all("WORKDIR"))
        assert not any(re.search(r"\b(sudo|apt|curl|wget|cd)\b", step) for step in stage.all("RUN"))


def test_no_compiler_and_no_package_of_the_system_is_installed() -> None:
    assert not any(re.search(r"apt-get|build-essential|gcc", step) for stage in stages() for step in stage.all("RUN"))


def test_what_is_installed_has_hashes_and_runs_nothing_meanwhile() -> None:
    installing = [step for stage in stages() for step in stage.all("RUN") if "pip install" in step]
    assert len(installing) == 1
    assert "--only-binary :all: --require-hashes" in installing[0]


def test_commands_are_programs_that_are_there() -> None:
    [serve] = read().command
    assert os.access(PROJECT / serve, os.X_OK)
    assert (PROJECT / read().healthcheck[1]).is_file()


def test_it_copies_only_what_is_there_and_sent() -> None:
    for stage in stages():
        for copy in stage.all("COPY"):
            if copy.startswith(("--from=", ". ")):
                continue
            for source in copy.split()[:-1]:
                assert (PROJECT / source).exists()
                assert sent_to_the_engine(source)


@pytest.mark.parametrize(
    "path",
    [
        "manage.py",
        "crm_router/server/gunicorn_conf.py",
        "scripts/serve",
        "scripts/test",
        "requirements.txt",
        "leads/registration.py",
    ],
)
def test_what_runs_is_sent(path: str) -> None:
    assert sent_to_the_engine(path)


def test_every_app_of_ours_is_sent() -> None:
    ours = [app.path for app in apps.get_app_configs() if Path(app.path).parent == PROJECT]
    assert len(ours) > 5
    assert all(sent_to_the_engine(f"{Path(path).name}/__init__.py") for path in ours)


@pytest.mark.parametrize(
    "path", [".git/HEAD", ".venv/bin/python", "data/secret_key", "leads/__pycache__/x.pyc", ".env"]
)
def test_secrets_and_litter_are_not_sent(path: str) -> None:
    assert not sent_to_the_engine(path)


class Container:
    """The file system of an image, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        programs = root / "usr/local/bin"
        programs.mkdir(parents=True)
        (programs / "python").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
        self.env = {"PATH": f"{programs}:{os.environ['PATH']}"}
        self.env |= {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}

    def inside(self, text: str) -> str:
        """With the paths of the image led into the folder."""
        return re.sub(r"(?<![\w/])/(app|opt|data)\b", lambda path: f"{self.root}/{path[1]}", text)

    def build(self, stage: Stage) -> None:
        for word, argument in stage.steps:
            if word in ("ARG", "ENV"):
                self.env |= {name: self.inside(value) for name, value in stage.env.items()}
            elif word == "WORKDIR":
                self.folder = Path(self.inside(argument))
                self.folder.mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self.copy(*argument.split())
            elif word == "RUN":
                self.run(argument)

    def copy(self, *words: str) -> None:
        *sources, target = words
        for source in sources:
            for path in sent_below(PROJECT / source):
                base = PROJECT if source == "." else (PROJECT / source).parent
                destination = self.folder / target / path.relative_to(base)
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, destination)

    def run(self, step: str) -> None:
        done = subprocess.run(
            [*SHELL, self.inside(step)], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def take_packages(self, venv: str) -> None:
        """Gives the environment the packages of requirements.txt, and no other, from the one of the tests.

        The step that installs them finds it done. Downloading and compiling them again takes half a minute, and proves
        what scripts/test has proved for the same lock.
        """
        environment = Path(self.inside(venv))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        packages = next(environment.glob("lib/python*/site-packages"))
        locked = set(re.findall(r"^([\w.-]+)(?:\[.*?\])?==", (PROJECT / "requirements.txt").read_text(), re.M))
        for installed in distributions():
            if re.sub(r"[-_.]+", "-", installed.name).lower() in locked:
                link_package(installed, packages)
        stamp = "requirements.txt.installed"
        shutil.copy(Path(sys.prefix, stamp), environment / stamp)

    def take_static_files(self, root: str, collected: Path) -> None:
        """Likewise what other starts of these tests have collected. The step that collects them finds it done."""
        place = Path(self.inside(root))
        shutil.copytree(collected, place)
        shutil.copy(collected.with_name(f"{collected.name}.collected"), place.with_name(f"{place.name}.collected"))

    def forbid_writing(self) -> None:
        for path in (self.root / "app", self.root / "opt"):
            subprocess.run(["chmod", "-R", "a-w", path], check=True)

    def allow_writing(self) -> None:
        subprocess.run(["chmod", "-R", "u+w", self.root], check=True)


def link_package(installed: Distribution, packages: Path) -> None:
    for name in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
        if not (packages / name).exists():
            (packages / name).symlink_to(str(installed.locate_file(name)))


def sent_below(path: Path) -> Iterator[Path]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in files:
        if file.is_file() and sent_to_the_engine(str(file.relative_to(PROJECT))):
            yield file


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path / "image")
    yield container
    container.allow_writing()


@pytest.mark.service
def test_its_steps_lead_to_a_service_that_writes_only_to_its_volume(
    container: Container, environment: dict[str, str]
) -> None:
    build, final = stages()
    container.take_packages(build.env["VENV"])
    container.take_static_files(build.env["STATIC_ROOT"], Path(environment["STATIC_ROOT"]))
    container.build(build)
    container.forbid_writing()
    (container.root / "data").mkdir()
    env = container.env | {name: container.inside(value) for name, value in final.env.items()}
    env |= {"HOST": "127.0.0.1", "PORT": str(free_port())}

    before = files(container)
    healthcheck = [container.inside(word) for word in final.healthcheck]

    def healthy() -> bool:
        done = subprocess.run(healthcheck, cwd=container.folder, env=env, capture_output=True, check=False)
        return done.returncode == 0

    assert not healthy()
    process = subprocess.Popen([*unprivileged(), *final.command], cwd=container.folder, env=env)
    try:
        wait_until(lambda: listens(int(env["PORT"])), "it listens")  # asked first: each health check is a process
        wait_until(healthy, "the health check succeeds")
        assert (container.root / "data/db.sqlite3").is_file()
        assert files(container) == before
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def files(container: Container) -> set[Path]:
    return {path for part in ("app", "opt") for path in (container.root / part).rglob("*")}


def unprivileged() -> list[str]:
    """For root, whom no permission would stop: a prefix that takes away all capabilities, as compose.yaml does."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
