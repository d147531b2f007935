"""schemathesis asks the running service whatever /openapi.json allows and forbids, and checks every answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import characters
from tests.service.conftest import StartService
from tests.service.running import PROJECT

pytestmark = pytest.mark.service

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
USUAL = 10 if characters.ON_POSTGRESQL else 5  # PostgreSQL is in production, and it can store less


@pytest.mark.timeout(0 if EXAMPLES else 900)
def test_every_answer_is_as_the_schema_says(start: StartService, tmp_path: Path) -> None:
    service = start(LOG_LEVEL="WARNING", API_KEYS="required").wait_until_up()
    assert service.manage("seed_demo").returncode == service.manage("seed_contacts", "--count", "20").returncode == 0
    key = service.manage("create_api_key", "--management", "--name", "fuzzing").stdout.strip()
    amount = ["--max-examples", EXAMPLES or str(USUAL), *([] if EXAMPLES else ["--generation-deterministic"])]
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", "tests/service/fuzzing.toml"]
    url = "http://{}:{}/openapi.json".format(*service.address)
    env = service.env | {"HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
    asking = [*command, "run", url, "--header", f"Authorization: Bearer {key}", *amount]
    done = subprocess.run(asking, cwd=PROJECT, env=env, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in service.output()
