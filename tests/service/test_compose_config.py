"""The compose files as a compose implementation reads them, and by the schema of the Compose Specification."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import documents
from tests.service.running import PROJECT

pytestmark = pytest.mark.once

SMALL, PRODUCTION, SENTRY = "compose.yaml", "deploy/compose.production.yaml", "deploy/compose.sentry.yaml"
FILES = [SMALL, PRODUCTION, SENTRY]
TOGETHER = [(SMALL,), (PRODUCTION,), (PRODUCTION, SENTRY)]
OF_COMPOSE = {"TAG", "EXTRAS"}  # which image, and what goes into it
OF_OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"}  # of the image postgres
GUIDE = PROJECT / "docs/operations.md"

each_file = pytest.mark.parametrize("file", FILES)
each_set = pytest.mark.parametrize("files", TOGETHER, ids=lambda files: "+".join(Path(file).name for file in files))


def faults(document: dict[str, Any]) -> list[str]:
    # They take a second to load, which each process of the tests would need.
    import jsonschema
    from check_jsonschema.builtin_schemas import get_builtin_schema

    schema = get_builtin_schema("vendor.compose-spec")
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def env_of_the_guide() -> str:
    [text] = [block.text for block in documents.blocks(GUIDE) if block.language == "ini" and "DATA" not in block.text]
    return text


def config(folder: Path, files: tuple[str, ...], env: str) -> subprocess.CompletedProcess[str]:
    """`podman-compose config` in a folder of its own: it knows no --project-directory, which the guide uses.

    It asks podman for its version before it reads anything; a program that answers stands for it.
    """
    (folder / ".env").write_text(env)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "podman").write_text("#!/bin/sh\necho podman version 5.4.0\n")
    (programs / "podman").chmod(0o755)
    named = []
    for file in files:
        (folder / Path(file).name).write_text((PROJECT / file).read_text())
        named += ["-f", Path(file).name]
    inherited = {name: value for name, value in os.environ.items() if name in ("HOME", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-m", "podman_compose", *named, "config"],
        cwd=folder,
        env=inherited | {"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@each_file
def test_a_file_follows_the_compose_specification(file: str) -> None:
    assert faults(yaml.safe_load((PROJECT / file).read_text())) == []


def test_the_specification_refuses_a_misspelt_key() -> None:
    document = yaml.safe_load((PROJECT / SMALL).read_text())
    document["services"]["app"]["read_onyl"] = document["services"]["app"].pop("read_only")
    assert len(faults(document)) == 1


@each_set
def test_a_compose_implementation_reads_them_with_the_settings_of_the_guide(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    said = config(tmp_path, files, env_of_the_guide())
    assert said.returncode == 0, said.stderr
    read = yaml.safe_load(said.stdout)
    assert faults(read) == []
    assert "${" not in said.stdout
    assert set(read["services"]) == set(yaml.safe_load((PROJECT / files[0]).read_text())["services"])


def test_what_it_reads_is_what_the_guide_promises(tmp_path: Path) -> None:
    read = yaml.safe_load(config(tmp_path, (PRODUCTION, SENTRY), env_of_the_guide()).stdout)
    worker = read["services"]["worker"]
    assert worker["environment"]["ALLOWED_HOSTS"] == "crm.example.com,127.0.0.1,app-a,app-b"
    assert worker["environment"]["SENTRY_DSN_FILE"] == "/run/secrets/sentry_dsn"
    assert worker["environment"]["API_KEYS"] == "required"
    assert worker["networks"] == ["inside", "outside"]
    assert worker["image"] == "crm-router:latest"


@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"])
def test_a_name_that_nobody_can_guess_must_be_given(tmp_path: Path, name: str) -> None:
    said = config(tmp_path, (PRODUCTION,), re.sub(rf"^{name}=.*\n", "", env_of_the_guide(), flags=re.M))
    assert said.returncode != 0
    assert f"required variable {name} is missing a value" in said.stderr


@each_file
def test_every_variable_is_a_setting(file: str) -> None:
    text = (PROJECT / file).read_text()
    known = set(documents.settings()) | OF_COMPOSE
    assert set(re.findall(r"\$\{(\w+)", text)) <= known
    services = yaml.safe_load(text)["services"].values()
    given = {name.removesuffix("_FILE") for service in services for name in service.get("environment", {})}
    assert given <= known | OF_OTHERS


@each_file
def test_every_file_is_there_or_made_by_the_guide(file: str) -> None:
    document = yaml.safe_load((PROJECT / file).read_text())
    parts = [*document.get("configs", {}).values(), *document.get("secrets", {}).values()]
    named = {part["file"] for part in parts}
    for service in document["services"].values():
        mounts = [mount["source"] if isinstance(mount, dict) else mount for mount in service.get("volumes", [])]
        named |= {mount.split(":")[0].removeprefix("./") for mount in mounts if mount.startswith("./")}
        named |= {"Dockerfile"} if "build" in service else set()
    guide = GUIDE.read_text()
    assert named
    assert [name for name in named if not (PROJECT / name).exists() and name not in guide] == []
