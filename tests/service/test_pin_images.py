"""scripts/pin-images in a copy of the project's files, with a program that stands for docker and its registry."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.running import PROJECT

pytestmark = pytest.mark.once

FILES = ["Dockerfile", "compose.yaml", "deploy/compose.production.yaml", "deploy/compose.sentry.yaml"]
ANSWERS = """#!/bin/sh
case "$*" in "buildx imagetools inspect --format {{.Manifest.Digest}} "*) ;; *) echo "unknown: $*" >&2; exit 2 ;; esac
echo "$6" >> "$(dirname "$0")/asked"
printf 'sha256:%064d\\n' 7
"""
REFUSES = """#!/bin/sh
[ "${6#nginx}" = "$6" ] || { echo "ERROR: no route to the registry" >&2; exit 1; }
printf 'sha256:%064d\\n' 7
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in [*FILES, "scripts/pin-images", "scripts/support/pin_images.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def pin(project: Path, docker: str) -> subprocess.CompletedProcess[str]:
    programs = project / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "python3").unlink(missing_ok=True)
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("bash", "sh", "dirname", "env"):
        if not (programs / name).exists():
            (programs / name).symlink_to(shutil.which(name) or name)
    if docker:
        (programs / "docker").write_text(docker)
        (programs / "docker").chmod(0o755)
    command = [str(project / "scripts/pin-images")]
    return subprocess.run(command, env={"PATH": str(programs)}, capture_output=True, text=True, check=False)


def texts(project: Path) -> list[str]:
    return [(project / name).read_text() for name in FILES]


def images(project: Path) -> list[str]:
    """The images that a registry has; a variable in its name says that an image is built here."""
    found = re.findall(r"^(?:FROM|\s+image:) (\S+)", "\n".join(texts(project)), re.M)
    return [image for image in found if "$" not in image]


def test_every_image_of_a_registry_gets_its_digest_behind_its_tag(project: Path) -> None:
    before = images(project)
    done = pin(project, ANSWERS)
    assert done.returncode == 0, done.stderr
    digest = f"@sha256:{7:064d}"
    assert images(project) == [f"{image.partition('@')[0]}{digest}" for image in before]
    assert len(before) >= 4
    asked = (project / "programs/asked").read_text().split()
    assert sorted(asked) == sorted({image.partition("@")[0] for image in before})


def test_nothing_else_is_changed_and_again_nothing_at_all(project: Path) -> None:
    before = texts(project)
    pin(project, ANSWERS)
    pinned = texts(project)
    assert [re.sub("@sha256:[0-9a-f]{64}", "", text) for text in pinned] == before
    pin(project, ANSWERS)
    assert texts(project) == pinned


@pytest.mark.parametrize(
    ("docker", "said"),
    [(REFUSES, "ERROR: no route to the registry"), ("", "docker is not installed"), ("#!/bin/sh\n", "no answer")],
)
def test_without_an_answer_for_each_nothing_is_changed(project: Path, docker: str, said: str) -> None:
    before = texts(project)
    done = pin(project, docker)
    assert done.returncode == 1
    assert re.fullmatch(rf"No digest for \S+: {re.escape(said)}\. Nothing was changed\.\n", done.stderr)
    assert texts(project) == before
