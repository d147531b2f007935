"""The benchmark measures what it says, beside a floor, and another server in turn."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.service.running import PROJECT, Service, run

pytestmark = [pytest.mark.service, pytest.mark.once]


def bench(*arguments: str) -> tuple[int, str]:
    answer = run(sys.executable, "scripts/support/bench.py", *arguments, env=dict(os.environ))
    return answer.returncode, answer.stdout + answer.stderr


def test_it_measures_this_service_a_floor_and_another_server(service: Service, tmp_path: Path) -> None:
    figures, other = tmp_path / "figures.json", f"http://127.0.0.1:{service.address[1]}/api/v1"
    small = ["--database", "sqlite", "--clients", "2", "--requests", "30", "--rounds", "2"]
    code, output = bench(*small, "--against", other, "--json", str(figures))
    assert code == 0, output
    rows = {row["what"]: row for row in json.loads(figures.read_text())["results"]}
    assert rows.keys() == {"floor", "this", "other"}
    assert rows["floor"]["ratio"] == {"median": 1, "min": 1, "max": 1}
    for row in rows.values():
        assert (row["database"], row["clients"]) == ("sqlite", 2)
        assert 0 < row["per_second"]["min"] <= row["per_second"]["max"]
        assert 0 < row["p50"]["median"] <= row["p99"]["median"]
    assert rows["this"]["app"]["median"] > 0 == rows["other"]["app"]["median"]


@pytest.mark.parametrize(
    "nonsense", [["--clients", "0"], ["--known", "2"], ["--database", "oracle"], ["--rounds", "many"]]
)
def test_nonsense_is_refused(nonsense: list[str]) -> None:
    code, output = bench(*nonsense)
    assert code == 2
    assert "error:" in output


def test_its_command_is_there() -> None:
    assert os.access(PROJECT / "scripts/bench", os.X_OK)
