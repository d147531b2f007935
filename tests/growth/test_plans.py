"""No call goes through a large table: asked of PostgreSQL, for the statements that were really sent."""

import re
from base64 import b64encode
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from core.changes.models import Change
from core.changes.recording import SERVICE
from leads import idempotency
from leads.api.filters import LeadFilter
from leads.models import PossibleDuplicate
from notifications import feed
from notifications.models import Webhook
from operators.models import Operator
from routing import cap_edges, clock, leave, operator_actions, tallies
from routing.api.filters import ContactFilter
from routing.models import Contact, ContactEvent, ReportProgress, Source, Upkeep, WhatIf
from tests.api.endpoints import endpoints
from tests.growth import plans

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db, pytest.mark.usefixtures("year")]

API = "/api/v1"
RARE = "Zzyzx"


def cursor(position):
    return quote(b64encode(urlencode({"p": position}).encode()).decode())


@pytest.fixture
def middle():
    """A contact from the middle of the year, whose operator, source and lead the calls below ask for."""
    contacts = Contact.objects.filter(operator__isnull=False)
    return contacts.order_by("pk")[contacts.count() // 2]


@pytest.fixture
def faults():
    """Calls, and says which of the statements that this took went through a large table."""

    def ask(call):
        with CaptureQueriesContext(connection) as seen:
            assert call().status_code < 300
        return plans.faults([query["sql"] for query in seen])

    return ask


LISTS = [
    "",
    "status=waiting",
    "status=assigned",
    "status=resolved",
    "overdue=true",
    "overdue=false",
    "source_id={source}",
    "source_id={quiet}",
    "source_id={quiet}&status=resolved",
    "operator_id={operator}",
    "operator_id={operator}&status=assigned",
    "lead_id={lead}",
    f"search={RARE}",
    "search={phone}",
    "search=client7@",
    f"search={RARE}&status=waiting",
]


def places(middle):
    quiet = Contact.objects.waiting().latest("pk").source_id
    phone = quote(middle.lead.identities.get(kind="phone").value)
    ids = {"source": middle.source_id, "operator": middle.operator_id, "lead": middle.lead_id, "quiet": quiet}
    return ids | {"phone": phone}


@pytest.mark.parametrize("filters", LISTS)
@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
def test_a_page_of_contacts_is_found_by_an_index(api, faults, middle, filters, deep):
    page = f"&cursor={cursor(middle.pk)}" if deep else ""
    assert faults(lambda: api.get(f"{API}/contacts?{filters.format(**places(middle))}{page}")) == []


PERIODS = ["created_before", "created_after"]


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
def test_a_period_is_found_by_an_index(api, faults, middle, period, deep):
    moment = quote(middle.created_at.isoformat())
    page = f"&cursor={cursor(middle.created_at)}" if deep else ""
    assert faults(lambda: api.get(f"{API}/contacts?{period}={moment}{page}")) == []


READS = [
    "/leads",
    "/leads?phone={phone}",
    "/leads?email=client7@example.com",
    "/leads?search={phone}",
    "/leads?search=client7@",
    f"/leads?search={RARE}",
    "/leads/{lead}",
    "/leads/{lead}/identities",
    "/leads/{lead}/contacts",
    "/leads/{lead}/export",
    "/leads/duplicates",
    "/contacts/{contact}",
    "/contacts/{contact}/decision",
    "/contacts/{contact}/history",
    "/operators",
    "/operators/{operator}",
    "/sources",
    "/sources/{source}",
    "/sources/{source}/operators",
    "/queue",
    "/operators/{operator}/schedule",
    "/sources/{source}/schedule",
    "/operators/{operator}/absences",
    "/operators/{operator}/availability",
    "/operators/{operator}/channels",
    "/operators/{operator}/notifications",
    "/changes",
    "/changes?operator_id={operator}",
    "/changes?source_id={source}",
    "/changes/{change}",
    "/events",
    "/events?after={present}",
    "/webhooks",
    "/webhooks/{webhook}",
    "/webhooks/{webhook}/deliveries",
    "/what-if/{what_if}",
]


@pytest.mark.parametrize("path", READS)
def test_a_read_is_answered_by_indexes(api, faults, middle, path):
    webhook = Webhook.objects.create(url="https://bot.example.com/")
    change = Change.objects.create(what="operator.changed", by="vera", via="page", before={}, after={})
    known = {"contact": middle.pk, "webhook": webhook.pk, "change": change.pk, "present": feed.latest_cursor()}
    known["what_if"] = WhatIf.objects.create(asked={}).pk
    assert faults(lambda: api.get(API + path.format(**known, **places(middle)))) == []


def test_every_read_and_every_filter_is_asked_for_here():
    """Contacts, the distribution and reports have tests of their own."""
    apart = ["/contacts", "/stats/distribution", "/stats/report"]
    paths = [re.sub(r"{\w+}", "1", path.partition("?")[0]) for path in [*READS, *apart]]
    reads = {route for method, route in endpoints() if method == "get"}
    assert {resolve(API + path).route for path in paths} == reads
    assert named_in(LISTS) | set(PERIODS) == set(ContactFilter.base_filters)
    assert named_in(path for path in READS if path.startswith("/leads?")) == set(LeadFilter.base_filters)


def named_in(queries):
    return {name for query in queries for name in re.findall(r"(\w+)=", query)}


@pytest.mark.parametrize(
    "path",
    [
        "/admin/routing/contact/",
        "/admin/routing/contact/?p=3",
        "/admin/routing/contact/?status=waiting",
        "/admin/routing/contact/?status=assigned",
        "/admin/routing/contact/?status=resolved",
        "/admin/routing/contact/?source__id__exact={source}",
        "/admin/routing/contact/?operator__id__exact={operator}",
        "/admin/leads/lead/",
        "/admin/leads/lead/?leads=merged",
        "/admin/leads/lead/?leads=erased",
        "/admin/leads/possibleduplicate/",
        "/admin/leads/possibleduplicate/?decision=merged",
        "/admin/operators/operator/",
        "/admin/operators/operator/{operator}/shifts/",
        "/admin/routing/source/",
        "/admin/queue/",
        "/admin/calendar/",
        "/admin/calendar/?week=2099-01-05&source={source}",
        "/admin/operators/operator/leave/",
        "/admin/operators/operator/leave/?operator={operator}&first=2099-01-05&last=2099-01-09",
    ],
)
def test_a_list_of_the_back_office_is_answered_by_indexes(supervisor, faults, middle, path):
    assert faults(lambda: supervisor.get(path.format(**places(middle)))) == []


def test_the_start_page_is_answered_by_indexes(supervisor, faults):
    """But for its sums over the queue, over the contacts of today and over their events."""
    assert faults(lambda: supervisor.get("/admin/")) == []


@pytest.mark.parametrize("path", ["/admin/routing/contact/?q={term}", "/admin/leads/lead/?q={term}"])
@pytest.mark.parametrize("term", [RARE, "client7@"])
def test_the_back_office_finds_people_by_indexes(supervisor, faults, path, term):
    assert faults(lambda: supervisor.get(path.format(term=quote(term)))) == []


def test_what_has_been_decided_is_not_read_again(api, faults):
    PossibleDuplicate.objects.update(is_merged=True)
    assert faults(lambda: api.get(f"{API}/leads/duplicates")) == []


def test_a_distribution_reads_the_decisions_of_two_hours_at_the_most(api, faults):
    since = (timezone.now() - timedelta(days=30)).isoformat()
    assert faults(lambda: api.get(f"{API}/stats/distribution?from={quote(since)}")) == []


@pytest.mark.parametrize("group_by", ["operator", "source", "day", "hour"])
def test_a_report_reads_the_tallies_of_its_period(api, faults, group_by):
    """Of the history it reads what is not in them yet. Here all of it is one transaction, and counts as read."""
    last = ContactEvent.objects.latest("transaction").transaction
    ReportProgress.objects.update_or_create(pk=1, defaults={"transaction": last + 1})
    since = (timezone.now() - timedelta(days=30)).isoformat()
    assert faults(lambda: api.get(f"{API}/stats/report?group_by={group_by}&from={quote(since)}")) == []


@pytest.fixture
def register(api, middle):
    """A bot that writes for somebody, once or again with the same key."""

    def write(key="k1", **lead):
        asked = {"source_id": middle.source_id} | lead
        return api.post(f"{API}/contacts", asked, headers={"Idempotency-Key": key})

    return write


def test_somebody_new_is_registered_by_indexes(faults, register):
    new = {"lead_phone": "+79995550101", "lead_email": "new@example.com", "lead_external_id": "chat-1"}
    assert faults(lambda: register(**new)) == []


def test_somebody_known_is_registered_by_indexes(faults, register, middle):
    phone = middle.lead.identities.get(kind="phone").value
    assert faults(lambda: register(lead_phone=phone, lead_email="another@example.com")) == []


def test_whoever_sends_again_is_answered_by_indexes(faults, register):
    register(lead_phone="+79995550101")
    assert faults(lambda: register(lead_phone="+79995550101")) == []


def test_resolving_goes_by_indexes(api, faults, register):
    newest = register(lead_phone="+79995550101").json()["id"]
    assert faults(lambda: api.post(f"{API}/contacts/{newest}/resolve")) == []


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_going_on_with_the_tallies_reads_no_large_table_even_when_the_clock_was_ahead(wrong):
    tallies.tally_hours()
    if wrong:
        Upkeep.objects.update(tallied_until=timezone.now() + timedelta(days=300))
    with CaptureQueriesContext(connection) as seen:
        tallies.tally_hours()
    assert plans.faults([query["sql"] for query in seen]) == []


def test_a_cap_that_is_set_reads_the_history_of_today_and_ends_by_an_index(middle):
    with CaptureQueriesContext(connection) as seen:
        operator_actions.change_operator(operator_id=middle.operator_id, changes={"max_per_day": 1})
        cap_edges.end_caps_and_paces(timezone.now() + timedelta(days=2))
    assert plans.faults([query["sql"] for query in seen]) == []


@pytest.fixture
def some_are_due(middle):
    """The newest contacts of a source with a time to take them: open again, and due."""
    Source.objects.filter(pk=middle.source_id).update(accept_within=60)
    of_source = Contact.objects.filter(source=middle.source_id, operator__isnull=False)
    timed = list(of_source.order_by("-pk").values_list("pk", flat=True)[:20])
    Contact.objects.filter(pk__in=timed).update(due_at=timezone.now(), accepted_at=None, resolved_at=None)
    Operator.objects.update(current_load=20, max_load=100)
    return timed


def test_the_clock_finds_what_is_due_by_indexes(some_are_due):
    Upkeep.objects.update_or_create(pk=1, defaults={"ticked_at": timezone.now()})
    with CaptureQueriesContext(connection) as seen:
        clock.tick()
    assert Contact.objects.filter(pk__in=some_are_due, history__what="timed_out").count() == len(some_are_due) == 20
    assert plans.faults([query["sql"] for query in seen]) == []


def test_after_an_outage_what_was_due_is_found_by_an_index(some_are_due):
    Upkeep.objects.update_or_create(pk=1, defaults={"ticked_at": timezone.now() - timedelta(hours=1)})
    with CaptureQueriesContext(connection) as seen:
        clock.note_tick(timezone.now())
    assert Contact.objects.filter(pk__in=some_are_due, due_at__gt=timezone.now()).count() == 20
    assert plans.faults([query["sql"] for query in seen]) == []


def test_a_clock_that_looks_without_the_index_is_noticed(some_are_due):
    with CaptureQueriesContext(connection) as seen:
        clock.MOMENTS()
    sent = [query["sql"] for query in seen]
    assert plans.faults(sent) == []
    with without_indexes("contact_by_due_moment"):
        assert plans.faults(sent) != []


def test_a_leave_hands_over_and_is_undone_by_indexes(middle, some_are_due):
    now = timezone.now()
    end = now + timedelta(days=1)
    with CaptureQueriesContext(connection) as seen:
        absence = leave.apply_leave(operator_id=middle.operator_id, start=now, end=end, handover=True, author=SERVICE)
        result = leave.undo_leave(absence_id=absence.pk, author=SERVICE)
    assert result.given_back
    assert plans.faults([query["sql"] for query in seen]) == []


def test_pruning_reads_what_is_new_since_the_day_before():
    day = timedelta(days=1)
    idempotency.forget_old_keys(older_than=timezone.now() - 31 * day)
    with CaptureQueriesContext(connection) as seen:
        idempotency.forget_old_keys(older_than=timezone.now() - 30 * day)
    assert plans.faults([query["sql"] for query in seen]) == []


@contextmanager
def without_indexes(*names):
    with transaction.atomic():
        with connection.cursor() as statements:
            statements.execute(f"DROP INDEX {', '.join(names)}")
        yield
        transaction.set_rollback(True)


def test_a_missing_index_is_noticed(api, faults, middle):
    with without_indexes("contact_by_operator", "contact_open_by_operator"):
        assert faults(lambda: api.get(f"{API}/contacts?operator_id={middle.operator_id}")) != []


def test_a_registration_that_looks_for_its_lead_without_an_index_is_noticed(faults, register):
    """And no other index serves it: the one for searches would, slowly, if it were on the bare value."""
    with without_indexes("identity_unique_everywhere"):
        assert faults(lambda: register(lead_phone="+79995550101")) != []
