"""Clients in Python that two generators make of /openapi.json pass the strict checks of types, and work.

scripts/clients does the same for TypeScript, which takes npm.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm_router.views import built_schema
from tests.service.conftest import StartService
from tests.service.running import PROJECT, Service

pytestmark = [pytest.mark.service, pytest.mark.once]

PROGRAMS = Path(sys.executable).parent
STRICT = """\
[mypy]
strict = true
[mypy-router_client.client]
ignore_errors = true
"""  # client.py is the same whatever the schema is
CLIENTS = PROJECT / "tests/service/clients"


def run(folder: Path, *command: object) -> str:
    """In a folder with a client; without the project on the path, and with the tools of this environment on it."""
    env = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder), "JAVA_TOOL_OPTIONS": "-Xmx512m"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "openapi.json").write_bytes(built_schema("en"))
    return tmp_path


@pytest.fixture(scope="module")
def service(start_for_all: StartService) -> Service:
    return start_for_all(API_KEYS="required")


def works(folder: Path, script: str, service: Service) -> bool:
    """Whether the client and a script that uses it pass mypy, and the script registers contacts."""
    key = service.new_key()
    shutil.copy(CLIENTS / script, folder)
    run(folder, sys.executable, "-m", "mypy", "router_client", script)
    return run(folder, sys.executable, script, "http://{}:{}".format(*service.address), key) == "works\n"


def test_openapi_python_client(folder: Path, service: Service) -> None:
    generator = [PROGRAMS / "openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"]
    run(folder, *generator, "--path", "openapi.json", "--output-path", "router_client")
    (folder / "mypy.ini").write_text(STRICT)
    assert works(folder, "with_openapi_python_client.py", service)


@pytest.mark.java
def test_openapi_generator(folder: Path, service: Service) -> None:
    generator = [PROGRAMS / "openapi-generator-cli", "generate", "--generator-name", "python"]
    options = ["--package-name", "router_client", "--global-property", "apiTests=false,modelTests=false"]
    run(folder, *generator, *options, "--input-spec", "openapi.json", "--output", ".")
    # It generates the strictest settings that its own code passes.
    config = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(config.replace('"tests", # hand-written tests', ""))
    assert works(folder, "with_openapi_generator.py", service)


def test_the_schema_is_openapi_3_0_which_every_generator_reads(folder: Path) -> None:
    assert json.loads((folder / "openapi.json").read_text())["openapi"].startswith("3.0.")
