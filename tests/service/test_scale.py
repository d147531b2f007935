"""scripts/scale counts what it says. The measurement itself is started by hand."""

import threading

import psycopg
import pytest
import scale
import scale_world

from tests.service.own_postgresql import Server
from tests.service.running import wait_until

pytestmark = [pytest.mark.service, pytest.mark.once]


def figures(pace: float, *, service: float = 1.5, waits: dict[str, float] | None = None) -> scale.Figures:
    return scale.Figures(
        per_second=pace,
        p50=10,
        p99=30,
        service=service,
        sessions=0.4,
        background=0.1,
        clients=0.2,
        wal=2_000,
        waits=waits or {},
        disk_is_busy=0.5,
    )


def measured(*its: scale.Figures) -> scale.Measured:
    return {(number, shape): list(its) for number in (1, 2) for shape in scale_world.SHAPES}


@pytest.mark.parametrize(
    ("title", "is_background"),
    [
        ("postgres: walwriter ", True),
        ("postgres: autovacuum worker postgres", True),
        ("postgres: postgres postgres 10.20.0.12(41530) COMMIT", False),
        ("", False),
    ],
)
def test_sessions_of_clients_are_told_from_the_rest_of_postgresql(title: str, is_background: bool) -> None:
    assert scale_world.is_background(title) == is_background


def test_a_session_that_waits_for_a_row_is_seen(empty_server: Server) -> None:
    empty_server.start()
    with psycopg.connect(empty_server.url) as holder, psycopg.connect(empty_server.url) as other:
        holder.execute("CREATE TABLE operator AS SELECT 1 AS id")
        holder.commit()
        holder.execute("SELECT FROM operator FOR UPDATE")
        waiting = threading.Thread(target=other.execute, args=("SELECT FROM operator FOR UPDATE",))
        waiting.start()
        looks = scale_world.Looks(empty_server.url)

        def is_seen() -> bool:
            looks.look()
            return looks.seen["row"] > 0

        wait_until(is_seen, "the wait is seen")
        holder.rollback()
        waiting.join()
        looks.connection.close()
    assert looks.seen["service"] > 0, "the holder of the lock, who sends nothing"


def test_each_number_of_instances_has_a_row_for_each_shape_with_the_median_of_the_rounds() -> None:
    rows = list(scale.costs_table(measured(figures(500), figures(700), figures(600))))[2:]
    assert [row.split(" | ")[:3] for row in rows] == [
        [f"| {number}", shape, "600 (500 to 700)"] for shape in scale_world.SHAPES for number in (1, 2)
    ]


def test_what_is_waited_for_has_its_column() -> None:
    head, _, *rows = scale.waits_table(measured(figures(500, waits={"row": 2.5, "disk": 0.5, "turn": 0.25})))
    row = dict(zip(head.strip("| ").split(" | "), rows[0].strip("| ").split(" | "), strict=True))
    assert (row["for a row"], row["for the disk"], row["the disk is busy, %"]) == ("2.50", "0.75", "50.0")


def test_cores_are_shared_as_a_registration_uses_them() -> None:
    assert scale.shared(8, service=1.5, database=0.5) == (6.0, 2.0, 0.7 * 8 * 1000 / 2)
    assert [row.split(" | ")[0] for row in scale.cores_table(measured(figures(500)))][2:] == ["| 8", "| 32", "| 128"]


@pytest.mark.parametrize("nonsense", [["--instances", "0"], ["--instances", "two"], ["--rounds", "0"]])
def test_nonsense_is_refused(nonsense: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        scale.read(nonsense)
    assert refusal.value.code == 2
    assert "error:" in capsys.readouterr().err
