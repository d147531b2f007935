"""What compose.yaml promises. No Docker engine runs in the tests, so the file itself is held to it."""

import re
from typing import Any

import pytest
import yaml

from tests.service.dockerfile import read
from tests.service.running import PROJECT

pytestmark = pytest.mark.once

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
APP: dict[str, Any] = COMPOSE["services"]["app"]


def test_it_is_reached_from_this_machine_only() -> None:
    assert APP["ports"] == ["127.0.0.1:8000:8000"]


def test_keys_may_be_left_out_only_while_nobody_else_reaches_the_port() -> None:
    """API_KEYS_OPEN_ANYWHERE silences the refusal to serve 0.0.0.0 without keys: the port must make up for it."""
    assert APP["environment"]["API_KEYS"] == "${API_KEYS:-open}"
    assert APP["environment"]["API_KEYS_OPEN_ANYWHERE"] == "true"
    assert all(port.startswith("127.0.0.1:") for port in APP["ports"])
    assert "network_mode" not in APP


def test_it_is_built_from_the_dockerfile_here() -> None:
    assert APP["build"] == "."


def test_data_live_on_a_named_volume() -> None:
    mounts = dict(volume.split(":", 1) for volume in APP["volumes"])
    assert mounts["data"] == read().env["DATA_DIR"] == "/data"
    assert APP["environment"]["DATABASE_URL"] == "${DATABASE_URL:-sqlite:////data/db.sqlite3}"
    assert set(mounts) == set(COMPOSE["volumes"])


def test_nothing_else_can_be_written() -> None:
    assert APP["read_only"] is True
    assert [mount.partition(":")[0] for mount in APP["tmpfs"]] == ["/tmp"]


def test_it_has_no_privileges() -> None:
    assert APP["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in APP["security_opt"]
    assert "privileged" not in APP
    assert "cap_add" not in APP


def test_it_comes_back_by_itself() -> None:
    assert APP["restart"] == "unless-stopped"


def test_it_has_longer_to_stop_than_requests_have_to_end() -> None:
    conf = (PROJECT / "crm_router/server/gunicorn_conf.py").read_text()
    [graceful] = re.findall(r"^graceful_timeout = (\d+)$", conf, re.M)
    assert int(APP["stop_grace_period"].removesuffix("s")) > int(graceful)


@pytest.mark.parametrize("name", ["SECRET_KEY", "DEBUG", "HOST", "PORT"])
def test_it_sets_nothing_that_is_decided_elsewhere(name: str) -> None:
    assert name not in APP["environment"]


def test_tests_have_a_place_to_install_their_tools() -> None:
    mounts = dict(volume.split(":", 1) for volume in APP["volumes"])
    assert read().env["TEST_VENV"].startswith(mounts["test-tools"] + "/")
