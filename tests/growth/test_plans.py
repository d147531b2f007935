"""No call goes through a large table: asked of PostgreSQL, for the statements that were really sent."""

from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leads import repetition, statistics
from leads.models import Contact, PossibleDuplicate, Upkeep
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


@pytest.mark.parametrize("period", ["created_before", "created_after"])
@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
def test_a_period_is_found_by_an_index(api, faults, middle, period, deep):
    moment = quote(middle.created_at.isoformat())
    page = f"&cursor={cursor(middle.created_at)}" if deep else ""
    assert faults(lambda: api.get(f"{API}/contacts?{period}={moment}{page}")) == []


@pytest.mark.parametrize(
    "path",
    [
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
        "/sources/{source}/operators",
    ],
)
def test_a_read_is_answered_by_indexes(api, faults, middle, path):
    phone = quote(middle.lead.identities.get(kind="phone").value)
    known = {"contact": middle.pk, "phone": phone} | places(middle)
    assert faults(lambda: api.get(API + path.format(**known))) == []


@pytest.mark.parametrize("page", ["/admin/leads/contact/?q={term}", "/admin/leads/lead/?q={term}"])
@pytest.mark.parametrize("term", [RARE, "client7@"])
def test_the_back_office_finds_people_by_indexes(supervisor, faults, page, term):
    supervisor.get("/admin/")
    assert faults(lambda: supervisor.get(page.format(term=quote(term)))) == []


def test_what_has_been_decided_is_not_read_again(api, faults):
    PossibleDuplicate.objects.update(is_merged=True)
    assert faults(lambda: api.get(f"{API}/leads/duplicates")) == []


def test_a_distribution_reads_the_decisions_of_two_hours_at_the_most(api, faults):
    since = (timezone.now() - timedelta(days=30)).isoformat()
    assert faults(lambda: api.get(f"{API}/stats/distribution?from={quote(since)}")) == []


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_going_on_with_the_tallies_reads_no_large_table_even_when_the_clock_was_ahead(wrong):
    statistics.tally()
    if wrong:
        Upkeep.objects.update(tallied_until=timezone.now() + timedelta(days=300))
    with CaptureQueriesContext(connection) as seen:
        statistics.tally()
    assert plans.faults([query["sql"] for query in seen]) == []


def test_pruning_reads_what_is_new_since_the_day_before():
    day = timedelta(days=1)
    repetition.forget(older_than=timezone.now() - 31 * day)
    with CaptureQueriesContext(connection) as seen:
        repetition.forget(older_than=timezone.now() - 30 * day)
    assert plans.faults([query["sql"] for query in seen]) == []


def test_registering_and_resolving_go_by_indexes(api, faults, middle):
    asked = {"source_id": middle.source_id, "lead_phone": "+79995550101", "lead_email": "new@example.com"}
    assert faults(lambda: api.post(f"{API}/contacts", asked)) == []
    newest = Contact.objects.latest("pk")
    assert faults(lambda: api.post(f"{API}/contacts/{newest.pk}/resolve")) == []


def test_a_missing_index_is_noticed(api, faults, middle):
    with transaction.atomic():
        with connection.cursor() as statements:
            statements.execute("DROP INDEX contact_by_operator, contact_open_by_operator")
        assert faults(lambda: api.get(f"{API}/contacts?operator_id={middle.operator_id}")) != []
        transaction.set_rollback(True)
