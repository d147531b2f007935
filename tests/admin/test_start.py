"""The start page: what there is to do, and the pages that whoever looks may see."""

from datetime import timedelta

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import SUPERVISOR
from crm_router import back_office
from leads.models import PossibleDuplicate
from routing import duty_edges, source_actions
from routing.admin import opening_hours
from routing.models import Contact
from tests import characters
from tests.accounts import people
from tests.admin import pages


def numbers(client):
    """What the page says, by title."""
    context = client.get("/admin/").context
    return {number["title"]: (number["figure"], number.get("more")) for number in context["numbers"]}


def test_it_tells_how_many_wait_and_since_when(supervisor):
    bot = characters.source()
    older, _ = characters.contact(bot), characters.contact(bot)
    Contact.objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(hours=3))
    assert numbers(supervisor)["In the queue"] == ("2", "The oldest has waited 3\xa0hours")


def test_it_tells_who_is_on_duty_and_how_many_places_are_free(supervisor):
    full, free = characters.operator(limit=1), characters.operator(limit=5)
    characters.operator(is_active=False, limit=50)
    characters.contact(characters.source(roster={full: 10}))
    characters.contact(characters.source(roster={free: 10}))
    assert numbers(supervisor)["Operators on duty"] == (2, "4 free places")


def test_it_tells_how_many_pairs_wait_for_a_decision(supervisor):
    bot = characters.source()
    leads = [characters.contact(bot).lead for _ in range(2)]
    PossibleDuplicate.objects.create(lead=leads[0], other=leads[1])
    assert numbers(supervisor)["Undecided duplicates"] == ("1", None)


def test_nothing_to_do_is_a_number_too(supervisor):
    assert numbers(supervisor) == {
        "In the queue": ("0", None),
        "Operators on duty": (0, "0 free places"),
        "Undecided duplicates": ("0", None),
    }


def test_more_than_anybody_wants_to_know_is_not_counted(supervisor, monkeypatch):
    monkeypatch.setattr(back_office, "MANY", 1)
    bot = characters.source()
    for _ in range(3):
        characters.contact(bot)
    assert numbers(supervisor)["In the queue"][0] == "1+"


def test_it_warns_of_sources_with_hours_when_nobody_is_planned(supervisor):
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    characters.source(roster={anna: 10, boris: 10})
    assert "Sources with hours when nobody is planned" not in numbers(supervisor)
    characters.source(roster={anna: 10})
    week_off = timezone.now() + timedelta(days=3)
    duty_edges.add_absence(operator_id=anna.pk, start=week_off, end=week_off + timedelta(days=7))
    figure, more = numbers(supervisor)["Sources with hours when nobody is planned"]
    assert (figure, more) == (1, f"The first: {opening_hours.interval_text((week_off, week_off + timedelta(days=4)))}")


def test_the_warning_leads_to_the_week_of_the_first_hole(supervisor):
    nobody_at_all = characters.source()
    numbers_shown = supervisor.get("/admin/").context["numbers"]
    link = next(number["link"] for number in numbers_shown if "nobody" in number["title"])
    assert [hole["source"] for hole in supervisor.get(link).context["holes"]] == [nobody_at_all]


def test_an_archived_source_without_operators_is_no_warning(supervisor):
    source_actions.archive_source(source_id=characters.source().pk)
    assert "Sources with hours when nobody is planned" not in numbers(supervisor)


def test_every_number_leads_to_what_it_counts(supervisor):
    anna = characters.operator("Anna", limit=1)
    bot = characters.source(roster={anna: 10})
    for _ in range(2):
        characters.contact(bot)
    for number in supervisor.get("/admin/").context["numbers"]:
        assert len(pages.shown(supervisor, number["link"])) == int(number["figure"])


def test_a_longer_queue_takes_no_more_queries(supervisor):
    def taken():
        with CaptureQueriesContext(connection) as captured:
            supervisor.get("/admin/")
        return len(captured)

    bot = characters.source()
    characters.contact(bot)
    taken()
    before = taken()
    for _ in range(5):
        characters.contact(characters.source())
    assert taken() == before


def test_who_may_see_nothing_of_a_group_sees_no_heading_of_it(db, client):
    client.force_login(people.account("boss", SUPERVISOR))
    context = client.get("/admin/").context
    titles = [[group["title"] for group in context[name]] for name in ("sidebar_navigation", "groups")]
    assert titles == [
        ["Operators and sources", "Contacts and leads", "Notifications", "Access"],
        ["Operators and sources", "Contacts and leads", "Notifications"],
    ]


def test_who_may_not_see_what_a_number_counts_is_not_told_it(db, client):
    clerk = people.account("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_operator"))
    client.force_login(clerk)
    assert list(numbers(client)) == ["Operators on duty"]
