"""Schedules, absences and pauses through the API."""

import pytest
import time_machine

from routing import clock
from tests import characters

pytestmark = pytest.mark.once  # forms of answers and sentences are the same on both databases

WEEK = {"time_zone": "Europe/Berlin", "weekly": [{"weekday": 1, "from": "09:00", "to": "18:00"}]}
MONDAY = "2026-11-23T10:00:00Z"


@pytest.fixture
def path(api):
    return f"/api/v1/operators/{characters.operator('Anna').pk}"


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def errors(answer):
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_a_schedule_is_stored_as_it_is_sent(api, path, settings):
    assert api.get(f"{path}/schedule").json() == {"time_zone": settings.TIME_ZONE, "weekly": []}
    for _ in range(2):
        assert api.put(f"{path}/schedule", WEEK).json() == WEEK
    assert api.get(f"{path}/schedule/").json() == WEEK
    assert api.put(f"{path}/schedule", {"weekly": []}).json()["weekly"] == []


def test_a_whole_day_ends_at_24(api, path):
    week = {"time_zone": "UTC", "weekly": [{"weekday": 2, "from": "00:00", "to": "24:00"}]}
    assert api.put(f"{path}/schedule", week).json() == week
    planned = api.get(f"{path}/availability").json()
    assert planned == [{"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}]


def shift(**fields):
    return {"weekday": 1, "from": "09:00", "to": "18:00"} | fields


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"time_zone": "UTC"}, [("weekly", "required")]),
        ({"weekly": [shift()]}, [("time_zone", "required")]),
        ({"time_zone": "europe/berlin", "weekly": []}, [("time_zone", "unknown")]),
        ({"time_zone": "Europe/Atlantis", "weekly": [shift()]}, [("time_zone", "unknown")]),
        ({"time_zone": "../etc/passwd", "weekly": [shift()]}, [("time_zone", "unknown")]),
        ({"time_zone": "UTC", "weekly": [shift(), shift(weekday=8)]}, [("weekly.1.weekday", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift(weekday=True)]}, [("weekly.0.weekday", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift(to="09:00")]}, [("weekly.0.to", "empty")]),
        ({"time_zone": "UTC", "weekly": [shift(to="25:00")]}, [("weekly.0.to", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift(**{"from": "24:00"})]}, [("weekly.0.from", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift(**{"from": "9:00"})]}, [("weekly.0.from", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift(to="١٨:٠٠")]}, [("weekly.0.to", "invalid")]),
        ({"time_zone": "UTC", "weekly": ["Monday"]}, [("weekly.0", "invalid")]),
        ({"time_zone": "UTC", "weekly": [shift()] * 51}, [("weekly", "max_length")]),
        ({"time_zone": "UTC", "weekly": [{}]}, [(f"weekly.0.{name}", "invalid") for name in ("weekday", "from", "to")]),
    ],
)
def test_a_bad_schedule_is_refused_field_by_field(api, path, body, named):
    api.put(f"{path}/schedule", WEEK)
    answer = api.put(f"{path}/schedule", body)
    assert (answer.status_code, errors(answer)) == (400, named)
    assert api.get(f"{path}/schedule").json() == WEEK


def test_an_absence_is_listed_until_it_is_cancelled(api, path):
    asked = {"from": "2026-12-01T00:00:00+03:00", "to": "2026-12-02T00:00:00", "reason": " Dentist ", "handover": True}
    made = api.post(f"{path}/absences", asked)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "from": "2026-11-30T21:00:00Z",
        "to": "2026-12-02T00:00:00Z",
        "reason": "Dentist",
        "handover": True,
        "began_at": None,
        "ended_at": None,
    }
    assert api.get(f"{path}/absences").json() == [made.json()]
    assert api.delete(f"{path}/absences/{made.json()['id']}").status_code == 204
    assert api.get(f"{path}/absences").json() == []
    assert api.delete(f"{path}/absences/{made.json()['id']}").status_code == 404


def test_an_absence_that_overlaps_is_a_conflict(api, path):
    body = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
    api.post(f"{path}/absences", body)
    answer = api.post(f"{path}/absences", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "overlaps")
    assert "2026-12-01T00:00:00Z" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"from": "2026-12-02T00:00:00Z", "to": "2026-12-02T00:00:00Z"}, [("to", "empty")]),
        ({"from": "2026-12-02T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, [("to", "empty")]),
        ({"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}, [("to", "past")]),
        ({"to": "2026-12-02T00:00:00Z"}, [("from", "required")]),
        (
            {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z", "reason": "x" * 201},
            [("reason", "max_length")],
        ),
    ],
)
def test_a_bad_absence_is_refused(api, path, body, named):
    answer = api.post(f"{path}/absences", body)
    assert (answer.status_code, errors(answer)) == (400, named)
    assert api.get(f"{path}/absences").json() == []


def test_a_pause_is_seen_on_the_operator_until_it_is_over(api, path, monday_morning):
    paused = api.post(f"{path}/pause", {"minutes": 30}).json()
    assert (paused["is_active"], paused["paused_until"]) == (False, "2026-11-23T10:30:00Z")
    monday_morning.move_to("2026-11-23T10:30:00Z")
    clock.tick()
    assert (api.get(path).json()["is_active"], api.get(path).json()["paused_until"]) == (True, None)


def test_resuming_is_repeated_without_harm(api, path):
    api.post(f"{path}/pause", {"until": "2026-11-24T00:00:00Z"})
    for _ in range(2):
        assert api.post(f"{path}/resume").json()["is_active"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"minutes": 0},
        {"minutes": 43_201},
        {"until": MONDAY},
        {"minutes": 5, "until": "2026-11-24T00:00:00Z"},
        {"minute": 5},
    ],
)
def test_a_bad_pause_is_refused(api, path, body):
    assert api.post(f"{path}/pause", body).status_code == 400
    assert api.get(path).json()["is_active"]


def test_availability_is_that_of_seven_days_in_utc(api, path):
    api.put(f"{path}/schedule", WEEK)
    api.post(f"{path}/absences", {"from": "2026-11-23T12:00:00Z", "to": "2026-11-23T14:00:00Z"})
    assert api.get(f"{path}/availability").json() == [
        {"from": "2026-11-23T10:00:00Z", "to": "2026-11-23T12:00:00Z"},
        {"from": "2026-11-23T14:00:00Z", "to": "2026-11-23T17:00:00Z"},
        {"from": "2026-11-30T08:00:00Z", "to": "2026-11-30T10:00:00Z"},
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-23T00:00:00Z", "to": "2026-11-23T00:00:00Z"},
        {"from": "2026-11-23T00:00:00Z", "to": "2027-11-25T00:00:00Z"},
        {"to": MONDAY},
        {"from": "Monday"},
        {"from": "9999-12-31T00:00:00Z"},
    ],
)
def test_availability_has_a_begin_an_end_and_a_limit(api, path, query):
    api.put(f"{path}/schedule", WEEK)
    assert api.get(f"{path}/availability", query).status_code == 400


@pytest.mark.parametrize("begin", ["9998-12-31T23:00:00Z", "0002-01-01T00:00:00Z"])
def test_availability_reaches_to_the_ends_of_the_calendar(api, path, begin):
    api.put(f"{path}/schedule", WEEK)
    assert api.get(f"{path}/availability", {"from": begin}).status_code == 200


@pytest.mark.parametrize("archived", [True, False])
def test_nobody_has_no_duty(api, path, archived):
    if archived:
        api.delete(path)
    else:
        path = "/api/v1/operators/404"
    calls = {
        "schedule": api.put(f"{path}/schedule", WEEK),
        "absences": api.post(f"{path}/absences", {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}),
        "absence": api.delete(f"{path}/absences/1"),
        "pause": api.post(f"{path}/pause", {"minutes": 5}),
        "resume": api.post(f"{path}/resume"),
        **{name: api.get(f"{path}/{name}") for name in ("schedule", "absences", "availability")},
    }
    assert {name: answer.status_code for name, answer in calls.items()} == dict.fromkeys(calls, 404)


def test_the_reason_of_a_change_is_kept(api, path):
    api.post(f"{path}/pause", {"minutes": 5}, headers={"X-Change-Reason": "Lunch"})
    assert api.get("/api/v1/changes").json()["results"][0]["reason"] == "Lunch"
