import pytest

from core import retry
from core.errors import Busy
from core.retry import LostRace
from crm_router.server import sweeper
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)


def test_registrations_are_counted_by_source_and_outcome(grown):
    bot = characters.source(roster={characters.operator(limit=1): 10})
    for _ in range(3):
        characters.contact(bot)
    registrations = {
        outcome: grown("crm_router_registrations_total", source=str(bot.pk), outcome=outcome)
        for outcome in ("assigned", "all_full")
    }
    assert registrations == {"assigned": 1, "all_full": 2}
    assert grown("crm_router_contact_events_total", what="registered") == 3


def test_decisions_are_timed(grown):
    characters.contact(characters.source(roster={characters.operator(): 10}))
    assert grown("crm_router_decision_duration_seconds_count") == 1
    assert 0 < grown("crm_router_decision_duration_seconds_sum") < 10


def test_lost_races_are_counted_and_what_they_undid_is_not(grown):
    bot = characters.source(roster={characters.operator(): 10})

    def work(attempt):
        contact = characters.contact(bot)
        if attempt == 0:
            raise LostRace
        return contact

    characters.run_attempts(work)
    assert grown("crm_router_lost_races_total", cause="overtaken") == 1
    assert grown("crm_router_contact_events_total", what="registered") == 1


def test_giving_up_is_counted(grown, monkeypatch):
    monkeypatch.setattr(retry, "PAUSE", 0)

    def unlucky(attempt):
        raise LostRace

    with pytest.raises(Busy):
        characters.run_attempts(unlucky)
    assert grown("crm_router_gave_up_total") == 1
    assert grown("crm_router_lost_races_total", cause="overtaken") == retry.ATTEMPTS


def test_errors_are_counted_by_status_and_code(api, grown):
    api.get("/api/v1/contacts/404")
    api.get("/nowhere")
    assert grown("crm_router_errors_total", status="404", code="not_found") == 2


def test_requests_are_timed_by_route_not_by_path(api, grown):
    for number in range(404, 407):
        api.get(f"/api/v1/contacts/{number}?page={number}")
    labels = {"method": "GET", "route": "/api/v1/contacts/{pk}", "status": "404"}
    assert grown("crm_router_request_duration_seconds_count", **labels) == 3


def test_paths_and_methods_that_do_not_exist_are_one_of_each(api, grown):
    for name in ("A1", "B2", "C3"):
        api.generic(name, f"/{name}")
    labels = {"method": "OTHER", "route": "unmatched", "status": "404"}
    assert grown("crm_router_request_duration_seconds_count", **labels) == 3


def test_nothing_stays_in_progress(api, grown):
    api.get("/api/v1/operators")
    api.get("/nowhere")
    assert grown("crm_router_requests_in_progress") == 0


def test_sweeps_are_counted(grown):
    sweeper.sweep_once()
    assert grown("crm_router_sweeps_total", outcome="done") == 1
