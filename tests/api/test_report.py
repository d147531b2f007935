"""`GET /api/v1/stats/report`."""

import csv
import io
from datetime import UTC, datetime

import openpyxl
import pytest
import time_machine

from routing import lifecycle
from tests import characters

NOON = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
PERIOD = {"from": "2026-03-02T00:30:00", "to": "2026-03-02T23:59:59Z"}
PATH = "/api/v1/stats/report"
COLUMNS = [
    *("registered", "assigned", "accepted", "declined", "timed_out", "resolved", "reopened"),
    *("waiting_p50", "waiting_p90", "first_reaction_p50", "first_reaction_p90", "resolution_p50", "resolution_p90"),
    "on_duty_seconds",
]


@pytest.fixture
def anna(api):
    return characters.operator("Anna", limit=2)


@pytest.fixture
def bot(anna):
    source = characters.source("Bot", roster={anna: 10})
    with time_machine.travel(NOON, tick=False):
        contact, _, _ = (characters.contact(source) for _ in range(3))
    with time_machine.travel(NOON.replace(hour=13), tick=False):
        lifecycle.resolve_contact(contact_id=contact.pk)
    return source


def test_the_shape_is_that_of_the_contract(api, anna, bot):
    answer = api.get(PATH, PERIOD | {"group_by": "operator"})
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["from", "to", "group_by", "rows", "total"]
    assert (body["from"], body["to"], body["group_by"]) == ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "operator")
    assert [list(row) for row in body["rows"]] == [["key", "name", *COLUMNS]] * 2
    assert list(body["total"]) == COLUMNS
    mine, nobodys = body["rows"]
    assert (mine["key"], mine["name"], mine["registered"], mine["assigned"], mine["resolved"]) == (
        anna.pk,
        "Anna",
        2,
        3,
        1,
    )
    assert (nobodys["key"], nobodys["name"], nobodys["registered"]) == (None, None, 1)
    assert (body["total"]["registered"], body["total"]["declined"], body["total"]["first_reaction_p50"]) == (3, 0, None)


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({"group_by": "day"}, ["2026-03-02"]),
        ({"group_by": "day", "time_zone": "Asia/Tokyo"}, ["2026-03-02", "2026-03-03"]),
        ({"group_by": "hour", "from": "2026-03-02T12:00:00Z", "to": "2026-03-02T13:10:00Z"},
         ["2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"]),
    ],
)  # fmt: skip
def test_rows_by_time_are_in_order(api, bot, asked, keys):
    body = api.get(PATH, PERIOD | asked).json()
    assert [row["key"] for row in body["rows"]] == keys
    assert sum(row["registered"] for row in body["rows"]) == body["total"]["registered"] == 3


def test_filters_limit_rows_and_total(api, anna, bot):
    other = characters.source("Other")
    by_source = api.get(PATH, PERIOD | {"group_by": "source"}).json()
    assert [(row["key"], row["name"]) for row in by_source["rows"]] == [(bot.pk, "Bot")]
    assert api.get(PATH, PERIOD | {"source_id": other.pk}).json()["total"]["registered"] == 0
    assert api.get(PATH, PERIOD | {"operator_id": anna.pk}).json()["total"]["registered"] == 2


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"group_by": "week"}, 400, "group_by"),
        ({"from": "yesterday"}, 400, "from"),
        ({"from": PERIOD["to"], "to": PERIOD["from"]}, 400, "to"),
        ({"from": PERIOD["to"], "to": PERIOD["to"]}, 400, "to"),
        ({"from": "2010-01-01T00:00:00Z"}, 400, "from"),
        ({"from": "0002-01-01T00:00:00Z"}, 400, "from"),
        ({"group_by": "hour", "from": "2024-01-01T00:00:00Z"}, 400, "from"),
        ({"time_zone": "Moscow"}, 400, "time_zone"),
        ({"format": "pdf"}, 400, "format"),
        ({"source_id": "x"}, 400, "source_id"),
        ({"source_id": 999_999}, 404, None),
        ({"operator_id": 999_999}, 404, None),
    ],
)
def test_bad_input_is_refused(api, asked, status, field):
    answer = api.get(PATH, PERIOD | asked)
    assert answer.status_code == status, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == ([field] if field else [])


def read_csv(answer):
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";"))


@pytest.mark.parametrize("asked", [{"format": "csv"}, {"HTTP_ACCEPT": "text/csv, application/json;q=0.5"}])
def test_csv_has_the_columns_of_the_json_and_the_total(api, anna, bot, asked):
    headers = {name: value for name, value in asked.items() if name.isupper()}
    answer = api.get(PATH, PERIOD | {k: v for k, v in asked.items() if k not in headers}, **headers)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    head, mine, nobodys, total = read_csv(answer)
    assert head == ["key", "name", *COLUMNS]
    assert mine[:4] == [str(anna.pk), "Anna", "2", "3"]
    assert nobodys[:3] == ["", "", "1"]
    assert (total[0], total[2]) == ("total", "3")


@pytest.mark.parametrize("name", ["=1+1", "+7", "-2", "@x", "\tx", "=cmd|' /C calc'!A0"])
def test_a_name_is_no_formula(api, name):
    anna = characters.operator("Anna")
    type(anna).objects.update(name=name)
    with time_machine.travel(NOON, tick=False):
        characters.contact(characters.source(roster={anna: 10}))
    assert read_csv(api.get(PATH, PERIOD | {"format": "csv"}))[1][1] == f"'{name}"
    answer = api.get(PATH, PERIOD | {"format": "xlsx"})
    cell = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active["B2"]
    assert (cell.data_type, cell.value) == ("s", f"'{name}")


def test_xlsx_has_numbers(api, anna, bot):
    answer = api.get(PATH, PERIOD | {"format": "xlsx"})
    rows = list(openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)
    assert rows[0] == ("key", "name", *COLUMNS)
    assert rows[1][:4] == (anna.pk, "Anna", 2, 3)
    assert (rows[-1][0], rows[-1][2]) == ("total", 3)
