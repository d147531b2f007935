"""The start page as a whole: what follows it, who sees what, what it costs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import keys
from accounts.roles import OPERATOR, SUPERVISOR
from routing import duty_edges, lifecycle, operator_actions
from routing.admin import opening_hours
from routing.admin.now import charts
from routing.models import ContactEvent
from tests import characters
from tests.accounts import people
from tests.admin.now.looking import context

NEWS = {"Live-News": "1"}


def sentences(client):
    return [f"{line.subject} {line.sentence}" for line in context(client)["events"]]


def test_an_unchanged_page_is_not_sent_again(supervisor):
    first = supervisor.get("/admin/now/")
    again = supervisor.get("/admin/now/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    characters.operator("Newcomer")
    changed = supervisor.get("/admin/now/", headers={"If-None-Match": first["ETag"], **NEWS})
    assert changed.status_code == 200
    assert "Newcomer" in changed.text


def test_for_some_seconds_all_pages_show_the_same(supervisor):
    supervisor.get("/admin/now/")
    characters.operator("Newcomer")
    assert "Newcomer" not in supervisor.get("/admin/now/").text
    assert "Newcomer" in supervisor.get("/admin/").text


def test_what_is_kept_for_one_user_is_not_shown_to_others(supervisor, client):
    characters.operator("Anna")
    assert "Anna" in supervisor.get("/admin/now/").text
    client.force_login(people.account("clerk"))
    assert "Anna" not in client.get("/admin/now/").text


def test_an_operator_starts_with_own_contacts_and_is_refused_the_rest(db, client):
    client.force_login(people.account("anna", OPERATOR))
    assert client.get("/admin/").status_code == 302
    for path in ("/admin/now/", "/admin/first-steps/"):
        assert client.get(path).status_code == 403


def test_strangers_are_led_to_the_sign_in(db, client):
    assert "/admin/login/" in client.get("/admin/now/").url


def test_who_may_see_operators_only_is_shown_these(db, client):
    characters.contact(characters.source("Telegram", roster={characters.operator("Anna"): 10}))
    clerk = people.account("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_operator"))
    client.force_login(clerk)
    page = client.get("/admin/")
    assert [one.title for one in context(client)["figures"]] == ["At or over the limit", "Operators on duty"]
    assert "Anna" in page.text
    assert "Telegram" not in page.text
    assert list(context(client)["events"]) == []


def test_events_of_contacts_and_changes_are_told_newest_first(supervisor):
    anna = characters.operator("Anna")
    contact = characters.contact(characters.source(roster={anna: 10}))
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3})
    newest, before, *_rest = sentences(supervisor)
    assert newest == "Anna limit 10 → 3 (system)"
    assert before == f"Contact {contact.pk} Registered by system: to Anna."


def test_who_may_not_see_keys_is_not_told_of_them(db, client):
    admin = people.account("boss")
    admin.is_superuser = True
    admin.save()
    client.force_login(admin)
    keys.make_key(name="Office", source=None)
    assert any(one.startswith("key ") for one in sentences(client))
    client.force_login(people.account("vera", SUPERVISOR))
    assert not any(one.startswith("key ") for one in sentences(client))


def test_it_warns_of_hours_when_nobody_is_planned(supervisor):
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    characters.source(roster={anna: 10, boris: 10})
    assert context(supervisor)["holes"] == []
    alone = characters.source(roster={anna: 10})
    away = timezone.now() + timedelta(days=3)
    duty_edges.add_absence(operator_id=anna.pk, start=away, end=away + timedelta(days=7))
    [hole] = context(supervisor)["holes"]
    assert hole.sentence == (
        f"{alone}: nobody is planned on {opening_hours.interval_text((away, away + timedelta(days=4)))}"
    )
    assert [one["source"] for one in supervisor.get(hole.link).context["holes"]] == [alone]


def test_a_new_service_is_told_the_first_steps_until_they_are_done(supervisor):
    assert "First steps" in supervisor.get("/admin/").text
    anna = characters.operator("Anna")
    steps = supervisor.get("/admin/first-steps/").text
    assert steps.count("(done)") == 1
    characters.contact(characters.source(roster={anna: 10}))
    assert supervisor.get("/admin/first-steps/").text == ""
    assert "First steps" not in supervisor.get("/admin/").text


def test_charts_count_arrivals_resolved_and_waits_of_today(supervisor):
    anna = characters.operator("Anna", limit=1)
    bot = characters.source(roster={anna: 10})
    first, second = characters.contact(bot), characters.contact(bot)
    ContactEvent.objects.filter(contact=second).update(at=timezone.now() - timedelta(minutes=90))
    lifecycle.resolve_contact(contact_id=first.pk)
    hour = context(supervisor)["hours"][-1]
    assert (hour.arrivals, hour.resolved, hour.mean_wait, hour.longest_wait) == (2, 1, 90.0, 90.0)


def test_yesterday_is_not_in_the_charts(db):
    anna = characters.operator("Anna")
    contact = characters.contact(characters.source(roster={anna: 10}))
    lifecycle.resolve_contact(contact_id=contact.pk)
    yesterday = timezone.now() - timedelta(days=1)
    ContactEvent.objects.update(at=yesterday)
    type(contact).objects.update(created_at=yesterday)
    assert {(hour.arrivals, hour.resolved) for hour in charts.read_hours(timezone.now())} == {(0, 0)}


def test_hostile_names_are_text(supervisor):
    anna = characters.operator("</script><script>alert(1)</script>", is_active=False)
    bot = characters.source("<img src=x onerror=alert(1)>", roster={anna: 10})
    characters.contact(bot)
    shown = supervisor.get("/admin/").text
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


@pytest.mark.both
@pytest.mark.parametrize("path", ["/admin/", "/admin/now/"])
def test_a_longer_page_takes_no_more_queries(supervisor, path):
    def taken():
        with CaptureQueriesContext(connection) as captured:
            assert supervisor.get(path, headers=NEWS).status_code == 200
        return len(captured)

    def grow():
        gleb, anna = characters.operator("Gleb", is_active=False), characters.operator("Anna", limit=1)
        for roster in ({gleb: 10}, {anna: 10}, {}):
            source = characters.source(roster=roster)
            for _ in range(2):
                characters.contact(source)
        operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 2})

    grow()
    taken()
    grow()
    before = taken()
    for _ in range(4):
        grow()
    assert taken() == before
