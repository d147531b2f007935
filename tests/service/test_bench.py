"""scripts/bench measures what it says: a floor, each scenario, another checkout and another server in turn."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import bench
import pytest

from tests.service.running import PROJECT, Service, run

pytestmark = [pytest.mark.service, pytest.mark.once]

SMALL = ["--database", "sqlite", "--clients", "2", "--requests", "10", "--rounds", "1", "--rows", "100"]
SCENARIOS = {"full", "resolve", "resolve-and-serve", "batch", "day", "import"}


def measured(tmp_path: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """The figures as JSON, and what is printed."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "scripts/support/bench.py", *SMALL, *arguments, "--json", str(figures)]
    answer = run(*command, env=dict(os.environ))
    output = answer.stdout + answer.stderr
    assert answer.returncode == 0, output
    return json.loads(figures.read_text()), output


def test_each_scenario_is_measured_in_ratio_to_a_registration_and_to_the_baseline(
    shared_service: Service, tmp_path: Path
) -> None:
    """And beside another server, whose processes are unknown."""
    other = f"http://127.0.0.1:{shared_service.address[1]}/api/v1"
    figures, output = measured(tmp_path, "--baseline", str(PROJECT), "--against", other)
    assert_the_floor_is_measured(figures, output)
    scenarios = {(row["server"], row["what"]): row for row in figures["results"] if row["clients"] == 8}
    both = {(server, what) for server in ("this", "baseline") for what in {"registration", *SCENARIOS}}
    assert scenarios.keys() == both | {("other", what) for what in {"registration", *SCENARIOS} - {"import"}}
    for (server, what), row in scenarios.items():
        assert row["per_second"]["min"] > 0
        assert row["pace_ratio"]["median"] > 0
        assert row["pace_ratio"]["median"] == 1 or what != "registration"
        assert (row["memory"] is None) == (what == "import" or server == "other")  # a command is not there any more
    compared = [row for row in figures["comparisons"] if row["clients"] == 8]
    assert {row["what"] for row in compared} == {"registration", *SCENARIOS}
    assert all(row["pace_ratio"]["median"] > 0 for row in compared)
    assert "this service in ratio to the baseline" in output


def assert_the_floor_is_measured(figures: dict[str, Any], output: str) -> None:
    rows = {(row["server"], row["what"]): row for row in figures["results"] if row["clients"] == 2}
    everywhere = {(server, "registration") for server in ("this", "baseline", "other")}
    assert rows.keys() == {("this", "floor"), *everywhere}
    for row in rows.values():
        assert row["database"] == "sqlite"
        assert 0 < row["p50"]["median"] <= row["p99"]["median"]
    assert rows["this", "registration"]["app"]["median"] > 0
    assert rows["other", "registration"]["app"] is None
    assert "not measured" in output


@pytest.mark.parametrize(
    "nonsense",
    [
        ["--clients", "0"],
        ["--known", "2"],
        ["--database", "oracle"],
        ["--rounds", "many"],
        ["--rows", "0"],
        ["--scenarios", "weather"],
        ["--baseline", "/nowhere"],
    ],
)
def test_nonsense_is_refused(nonsense: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        bench.read(nonsense)
    assert refusal.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_its_command_is_there() -> None:
    assert os.access(PROJECT / "scripts/bench", os.X_OK)
