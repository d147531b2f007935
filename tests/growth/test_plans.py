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

from leads import idempotency
from leads.api.filters import LeadFilter
from leads.models import PossibleDuplicate
from routing import fairness
from routing.api.filters import ContactFilter
from routing.models import Contact, Upkeep
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
    "source_id={source}",
    "source_id={quiet}",
    "source_id={quiet}&status=resolved",
    "operator_id={operator}",
    "operator_id={operator}&status=assigned",
    "lead_id={lead}",
]


def places(middle):
    quiet = Contact.objects.waiting().latest("pk").source_id
    return {"source": middle.source_id, "operator": middle.operator_id, "lead": middle.lead_id, "quiet": quiet}


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
]


@pytest.mark.parametrize("path", READS)
def test_a_read_is_answered_by_indexes(api, faults, middle, path):
    phone = quote(middle.lead.identities.get(kind="phone").value)
    known = {"contact": middle.pk, "phone": phone} | places(middle)
    assert faults(lambda: api.get(API + path.format(**known))) == []


def test_every_read_and_every_filter_is_asked_for_here():
    """Contacts and the distribution have tests of their own."""
    paths = [re.sub(r"{\w+}", "1", path.partition("?")[0]) for path in [*READS, "/contacts", "/stats/distribution"]]
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
        "/admin/routing/source/",
        "/admin/queue/",
    ],
)
def test_a_list_of_the_back_office_is_answered_by_indexes(supervisor, faults, middle, path):
    supervisor.get("/admin/")
    assert faults(lambda: supervisor.get(path.format(**places(middle)))) == []


@pytest.mark.parametrize("path", ["/admin/routing/contact/?q={term}", "/admin/leads/lead/?q={term}"])
@pytest.mark.parametrize("term", [RARE, "client7@"])
def test_the_back_office_finds_people_by_indexes(supervisor, faults, path, term):
    supervisor.get("/admin/")
    assert faults(lambda: supervisor.get(path.format(term=quote(term)))) == []


def test_what_has_been_decided_is_not_read_again(api, faults):
    PossibleDuplicate.objects.update(is_merged=True)
    assert faults(lambda: api.get(f"{API}/leads/duplicates")) == []


def test_a_distribution_reads_the_decisions_of_two_hours_at_the_most(api, faults):
    since = (timezone.now() - timedelta(days=30)).isoformat()
    assert faults(lambda: api.get(f"{API}/stats/distribution?from={quote(since)}")) == []


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
    fairness.tally_hours()
    if wrong:
        Upkeep.objects.update(tallied_until=timezone.now() + timedelta(days=300))
    with CaptureQueriesContext(connection) as seen:
        fairness.tally_hours()
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
