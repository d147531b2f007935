"""schemathesis asks the running service whatever /openapi.json allows and forbids, and checks every answer."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.service import database
from tests.service.conftest import StartService
from tests.service.running import PROJECT

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")  # as scripts/fuzz wants them, on both databases
# The boundary values of every field, and the examples of the schema. scripts/fuzz makes up requests beside them.
USUAL = ["--max-examples", "2", "--phases", "examples,coverage,stateful", "--generation-deterministic"]
# PostgreSQL is in production, and it can store less.
pytestmark = [pytest.mark.service, *([] if EXAMPLES else [pytest.mark.postgresql])]


@pytest.mark.timeout(0 if EXAMPLES else 900)
def test_every_answer_is_as_the_schema_says(start: StartService, tmp_path: Path) -> None:
    service = start(LOG_LEVEL="WARNING", API_KEYS="required", WEB_CONCURRENCY="1").wait_until_up()
    with database.default_at(service.env["DATABASE_URL"]):
        call_command("seed_demo", stdout=StringIO())
        call_command("seed_contacts", count=20, stdout=StringIO())
    key = service.new_key()
    amount = ["--max-examples", EXAMPLES] if EXAMPLES else USUAL
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", "tests/service/fuzzing.toml"]
    url = "http://{}:{}/openapi.json".format(*service.address)
    env = service.env | {"HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
    asking = [*command, "run", url, "--header", f"Authorization: Bearer {key}", *amount]
    done = subprocess.run(asking, cwd=PROJECT, env=env, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert service.faults() == []
