"""The virtual environment is made once, and never half."""

import ast
import fcntl
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.service.running import PATIENCE, PROJECT, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.once]

SCRIPT = str(PROJECT / "scripts/support/environment.py")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing\n")
    return lock


@dataclass
class Made:
    venv: Path
    lock: Path
    was_good_when_killed: bool = True


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A good environment of a lock that asks for nothing. Making one takes seconds; tests change copies of it.

    The first attempt was killed half way, and has left a file.
    """
    folder = tmp_path_factory.mktemp("made")
    made = Made(folder / "venv", folder / "requirements.txt")
    made.lock.write_text("# nothing\n")
    process = subprocess.Popen([sys.executable, SCRIPT, "make", made.venv, made.lock], start_new_session=True)
    wait_until((made.venv / "bin").exists, "the environment is under way")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (made.venv / "leftover").touch()
    made.was_good_when_killed = is_good(made.venv, made.lock)
    assert make(made.venv, made.lock).returncode == 0
    return made


@pytest.fixture
def venv(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.venv, tmp_path / "venv", symlinks=True))


def make(venv: Path, lock: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, SCRIPT, "make", str(venv), str(lock), env=dict(os.environ))


def is_good(venv: Path, lock: Path) -> bool:
    python = venv / "bin/python"
    return python.exists() and not run(str(python), SCRIPT, "check", str(venv), str(lock), env={}).returncode


def test_it_is_made_once_and_again_when_the_lock_changes(venv: Path, lock: Path) -> None:
    assert is_good(venv, lock)
    assert make(venv, lock).stderr == ""
    lock.write_text("# something else\n")
    assert not is_good(venv, lock)
    assert "Installing" in make(venv, lock).stderr
    assert is_good(venv, lock)


def test_one_that_was_killed_half_way_is_made_again(made: Made) -> None:
    assert not made.was_good_when_killed
    assert is_good(made.venv, made.lock)
    assert not (made.venv / "leftover").exists()


def test_another_checkout_waits_until_it_is_made(venv: Path, lock: Path, tmp_path: Path) -> None:
    script = shutil.copy(SCRIPT, tmp_path)
    lock.write_text("# something else\n")
    maker = os.open(venv, os.O_RDONLY)
    fcntl.flock(maker, fcntl.LOCK_EX)

    second = subprocess.Popen([sys.executable, script, "make", venv, lock], stderr=subprocess.DEVNULL)

    wait_until(lambda: f"-> FLOCK  ADVISORY  WRITE {second.pid} " in Path("/proc/locks").read_text(), "it waits")
    os.close(maker)
    assert second.wait(PATIENCE) == 0
    assert is_good(venv, lock)


def test_a_folder_that_is_something_else_stays_as_it_is(tmp_path: Path, lock: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/letter").touch()

    result = make(tmp_path / "letters", lock)

    assert result.returncode == 1
    assert "is not a virtual environment" in result.stderr
    assert (tmp_path / "letters/letter").exists()


def test_who_may_not_write_it_is_told_what_root_has_to_type(lock: Path) -> None:
    """Nobody makes folders in /sys, not even root, who may run the tests."""
    refused = make(Path("/sys/crm-router"), lock)
    python = getattr(sys, "_base_executable", sys.executable)
    command = f"sudo {python} {SCRIPT} make /sys/crm-router {lock}"
    assert (refused.returncode, refused.stderr) == (1, f"The environment is out of date; run: {command}\n")


def test_a_python_that_is_too_old_is_told_so_and_can_read_that(lock: Path) -> None:
    ast.parse(Path(SCRIPT).read_text(), feature_version=(3, 7))
    disguised = f"import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path({SCRIPT!r})"
    refused = run(sys.executable, "-c", disguised, env=dict(os.environ))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Python 3.11 or newer is required; {sys.executable} is ")


def test_nothing_is_built_that_could_run_code_of_its_own(venv: Path, tmp_path: Path, lock: Path) -> None:
    package = tmp_path / "sly-1.0.tar.gz"
    with tarfile.open(package, "w:gz") as archive:
        for name, text in {
            "PKG-INFO": "Metadata-Version: 2.1\nName: sly\nVersion: 1.0\n",
            "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'sly'\nbackend-path = ['.']\n",
            "sly.py": f"open({str(tmp_path / 'was-here')!r}, 'w')\n",
        }.items():
            entry = tarfile.TarInfo(f"sly-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    lock.write_text(f"--no-index\n--find-links {tmp_path}\nsly==1.0 --hash=sha256:{digest}\n")

    assert make(venv, lock).returncode == 1

    assert not (tmp_path / "was-here").exists()


def test_what_cannot_be_installed_is_no_good_environment(venv: Path, lock: Path) -> None:
    lock.write_text("no-hash-given==1.0\n")

    result = make(venv, lock)

    assert result.returncode == 1
    assert "could not be installed" in result.stderr
    assert not is_good(venv, lock)


def test_what_only_pip_knows_where_to_find_is_installed_too(
    venv: Path, tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv installs the lock that it is in, but does not read how pip was set up."""
    wheel = tmp_path / "crm_router_example-1.0-py3-none-any.whl"
    about = "crm_router_example-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("crm_router_example.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: crm-router-example\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    of_uv = re.search(r"^uv==(.*\\\n)*.*\n", (PROJECT / "requirements/dev.txt").read_text(), re.MULTILINE)
    assert of_uv
    lock.write_text(f"{of_uv[0]}crm-router-example==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    assert make(venv, lock).returncode == 0

    assert is_good(venv, lock)
    assert not run(str(venv / "bin/python"), "-c", "import crm_router_example", env={}).returncode
