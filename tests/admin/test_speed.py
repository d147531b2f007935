"""Lists cost the same number of queries however long they are, and never count a huge table."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access import keys
from leads import merging
from leads.models import PossibleDuplicate
from routing import lifecycle, source_actions
from tests import characters

LISTS = [
    "/admin/operators/operator/",
    "/admin/routing/source/",
    "/admin/routing/contact/",
    "/admin/leads/lead/",
    "/admin/leads/lead/?leads=merged",
    "/admin/leads/possibleduplicate/",
    "/admin/leads/possibleduplicate/?decision=merged",
    "/admin/queue/",
    "/admin/operators/operator/leave/",
    "/admin/holidays/?country=RU&year=2030",
    "/admin/access/apikey/",
]
MOST = 23


@pytest.fixture
def queries(supervisor):
    """The statements that a page takes; the first look fills what Django caches for ever."""
    known = set()

    def count(url):
        if url not in known:
            known.add(url)
            supervisor.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert supervisor.get(url).status_code == 200
        return [query["sql"] for query in captured]

    return count


def one_more_of_everything():
    operator = characters.operator()
    bot = characters.source(roster={operator: 10})
    leads = [characters.contact(bot, lead_email=f"{characters.somebody_new()}@example.com").lead for _ in range(2)]
    PossibleDuplicate.objects.create(lead=leads[0], other=leads[1])
    keys.make_key(name="Bot", source=bot)
    one_merged(bot)
    return bot, operator, leads[0]


def one_merged(bot):
    first, second = (characters.contact(bot).lead for _ in range(2))
    PossibleDuplicate.objects.create(lead=first, other=second)
    merging.merge_leads(lead_id=first.pk, other_id=second.pk)


@pytest.mark.parametrize("url", LISTS)
def test_a_longer_list_takes_no_more_queries(queries, url):
    one_more_of_everything()
    few = len(queries(url))
    for _ in range(2):
        one_more_of_everything()
    assert len(queries(url)) == few < MOST


@pytest.mark.both
@pytest.mark.parametrize("url", ["/admin/routing/contact/", "/admin/leads/lead/"])
def test_huge_tables_are_not_counted(queries, url):
    one_more_of_everything()
    """Tabs count up to a limit."""
    assert not [statement for statement in queries(url) if "COUNT(" in statement and "LIMIT" not in statement]


def test_a_longer_roster_takes_no_more_queries(queries):
    bot, _, _ = one_more_of_everything()
    few = len(queries(f"/admin/routing/source/{bot.pk}/change/"))

    for _ in range(2):
        source_actions.set_weight(source_id=bot.pk, operator_id=characters.operator().pk, weight=5)
    assert len(queries(f"/admin/routing/source/{bot.pk}/change/")) == few


def test_a_longer_story_takes_no_more_queries(queries):
    _, _, lead = one_more_of_everything()
    contact = lead.contacts.get()
    few = len(queries(f"/admin/routing/contact/{contact.pk}/change/"))
    for _ in range(3):
        lifecycle.resolve_contact(contact_id=contact.pk)
        lifecycle.reopen_contact(contact_id=contact.pk)
    assert len(queries(f"/admin/routing/contact/{contact.pk}/change/")) <= few


def test_a_lead_with_more_contacts_takes_no_more_queries(queries):
    bot, _, lead = one_more_of_everything()
    few = len(queries(f"/admin/leads/lead/{lead.pk}/change/"))
    for _ in range(2):
        characters.contact(bot, lead_phone=lead.phone)
    assert len(queries(f"/admin/leads/lead/{lead.pk}/change/")) == few


@pytest.mark.parametrize("view", ["change/", "merge_with/?q=%2B7999"])
def test_a_lead_with_more_duplicates_and_merges_takes_no_more_queries(queries, view):
    bot, _, lead = one_more_of_everything()
    url = f"/admin/leads/lead/{lead.pk}/{view}"
    entangle(bot, lead)
    few = len(queries(url))
    for _ in range(2):
        entangle(bot, lead)
    assert len(queries(url)) == few < MOST


def entangle(bot, lead):
    """One more that it may be, and one more that it was."""
    twin, other = (characters.contact(bot).lead for _ in range(2))
    PossibleDuplicate.objects.create(lead=lead, other=other)
    merging.merge_leads(lead_id=lead.pk, other_id=twin.pk)


@pytest.mark.both
@pytest.mark.parametrize("name", ["contact", "lead"])
def test_lists_read_only_the_beginning_of_messages(supervisor, queries, name):
    contact = characters.contact(characters.source(), message="Beginning. " + "x" * 65_000)
    url = "/admin/routing/contact/" if name == "contact" else f"/admin/leads/lead/{contact.lead_id}/change/"
    asked = [sql for sql in queries(url) if "routing_contact" in sql]
    assert "Beginning. xxx" in supervisor.get(url).text
    assert any("beginning" in sql for sql in asked)
    assert not [sql for sql in asked if ', "routing_contact"."message"' in sql.split(" FROM ")[0]]
