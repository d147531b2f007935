"""Who may see /metrics, and what the database adds to it."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from crm_router import readiness
from crm_router.observability import event_listener, metrics
from operators.models import Operator
from routing import capacity, queue, source_actions
from routing.models import Upkeep
from tests import characters

TOKEN = "0123456789abcdef"


@pytest.fixture
def opened(settings):
    settings.METRICS_TOKEN = TOKEN
    # Tests that ran before in this process have registered contacts of thousands of sources: seconds of each scrape.
    metrics.REGISTRATIONS.clear()
    event_listener.registrations.cache_clear()  # which would count where nobody looks any more


@pytest.fixture
def scrape(api, opened):
    def scrape():
        answer = api.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    return scrape


def test_without_a_token_there_is_nothing(api):
    answer = api.get("/metrics", headers={"authorization": "Bearer "})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer ключ"]
)
def test_anything_but_the_token_is_refused(api, opened, authorization):
    answer = api.get("/metrics", headers={"authorization": authorization} if authorization is not None else {})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_it_can_only_be_read(api, opened):
    assert api.post("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_the_queue_is_told_by_source(scrape):
    waiting, empty = characters.source(), characters.source()
    with time_machine.travel(timezone.now() - timedelta(minutes=5), tick=False):
        characters.contact(waiting)
    characters.contact(waiting)
    told = scrape()
    assert told[f'crm_router_queue_length{{source="{waiting.pk}"}}'] == 2
    assert 300 <= told[f'crm_router_queue_oldest_age_seconds{{source="{waiting.pk}"}}'] < 400
    assert told[f'crm_router_queue_length{{source="{empty.pk}"}}'] == 0
    assert told[f'crm_router_queue_oldest_age_seconds{{source="{empty.pk}"}}'] == 0


def test_a_closed_source_is_told_while_something_waits_there(scrape):
    closed, forgotten = characters.source(), characters.source()
    characters.contact(closed)
    for source in (closed, forgotten):
        source_actions.archive_source(source_id=source.pk)
    told = scrape()
    assert told[f'crm_router_queue_length{{source="{closed.pk}"}}'] == 1
    assert f'crm_router_queue_length{{source="{forgotten.pk}"}}' not in told


def test_free_places_are_those_of_who_could_take_one(scrape):
    free, full = characters.operator(limit=5), characters.operator(limit=1)
    off_duty = characters.operator(limit=7, is_active=False)
    shared = characters.source(roster={free: 1, full: 1, off_duty: 1})
    empty = characters.source()
    Operator.objects.filter(pk=full.pk).update(current_load=1)
    told = scrape()
    assert told[f'crm_router_source_free_places{{source="{shared.pk}"}}'] == 5
    assert told[f'crm_router_source_free_places{{source="{empty.pk}"}}'] == 0
    assert told["crm_router_free_places"] == capacity.free_places() == 5


def test_a_load_that_has_drifted_is_told(scrape):
    drifted = characters.operator()
    assert scrape()["crm_router_drifted_loads"] == 0
    Operator.objects.filter(pk=drifted.pk).update(current_load=3)
    assert scrape()["crm_router_drifted_loads"] == 1


def test_the_last_sweep_is_told(scrape):
    assert scrape()["crm_router_last_sweep_timestamp_seconds"] == 0
    queue.sweep_queue()
    assert abs(scrape()["crm_router_last_sweep_timestamp_seconds"] - timezone.now().timestamp()) < 60


def test_the_last_pruning_is_told(scrape):
    assert scrape()["crm_router_last_prune_timestamp_seconds"] == 0
    call_command("prune")
    assert abs(scrape()["crm_router_last_prune_timestamp_seconds"] - timezone.now().timestamp()) < 60


def test_the_last_nightly_check_is_told_with_what_it_has_found(scrape):
    assert scrape()["crm_router_last_check_timestamp_seconds"] == 0
    call_command("check_routing", "--deep")
    assert abs(scrape()["crm_router_last_check_timestamp_seconds"] - timezone.now().timestamp()) < 60
    assert scrape()["crm_router_check_findings"] == 0
    Upkeep.objects.update(check_findings=4)
    assert scrape()["crm_router_check_findings"] == 4


def test_without_a_database_the_rest_is_told(scrape, monkeypatch):
    def unreachable():
        raise OperationalError

    monkeypatch.setattr(readiness, "missing_migrations", unreachable)
    told = scrape()
    assert told["crm_router_ready"] == 0
    assert "crm_router_free_places" not in told
    assert "crm_router_requests_in_progress" in told


def test_a_scrape_asks_no_more_for_more_sources(scrape, django_assert_max_num_queries):
    for _ in range(5):
        characters.contact(characters.source(roster={characters.operator(is_active=False): 1}))
    with django_assert_max_num_queries(13):
        scrape()
