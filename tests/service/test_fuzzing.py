"""schemathesis asks the running service whatever /openapi.json allows and forbids, and checks every answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.running import PROJECT

pytestmark = pytest.mark.service

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
USUAL = ["--max-examples", "10", "--generation-deterministic"]


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_every_answer_is_as_the_schema_says(start: StartService, tmp_path: Path) -> None:
    service = start("--demo", LOG_LEVEL="WARNING").wait_until_up()
    amount = ["--max-examples", EXAMPLES] if EXAMPLES else USUAL
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", "tests/service/fuzzing.toml"]
    url = "http://{}:{}/openapi.json".format(*service.address)
    env = service.env | {"HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
    done = subprocess.run([*command, "run", url, *amount], cwd=PROJECT, env=env, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in service.output()
