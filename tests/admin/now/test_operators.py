"""Who is overloaded, without looking for it; and duty and pauses with one press."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from core.changes.models import Change
from operators.models import Operator
from routing.models import Contact
from tests import characters
from tests.accounts import people
from tests.admin import pages
from tests.admin.now.looking import context


def figure(client, title):
    found = next(one for one in context(client)["figures"] if one.title == title)
    return found.number, found.more


def test_the_fullest_comes_first_and_who_is_off_duty_last(operators):
    half = characters.operator("Anna", limit=10, current_load=5)
    away = characters.operator("Boris", limit=1, current_load=1, is_active=False)
    over = characters.operator("Vera", limit=2, current_load=3)
    full = characters.operator("Gleb", limit=2, current_load=2)
    assert [line.operator for line in operators()] == [over, full, half, away]


def test_who_is_overloaded_stands_at_the_top(supervisor):
    characters.operator("Anna", limit=10, current_load=5)
    characters.operator("Vera", limit=2, current_load=3)
    characters.operator("Gleb", limit=2, current_load=2, is_active=False)
    assert figure(supervisor, "At or over the limit") == (1, "Vera: 3 of 2")


def test_it_counts_who_is_on_duty_and_the_free_places(supervisor):
    characters.operator(limit=1, current_load=1)
    characters.operator(limit=5, current_load=1)
    characters.operator(is_active=False, limit=50)
    assert figure(supervisor, "Operators on duty") == (2, "4 free places")


def test_it_tells_how_many_wait(supervisor):
    assert figure(supervisor, "Waiting") == (0, "")
    bot = characters.source()
    for _ in range(2):
        characters.contact(bot)
    assert figure(supervisor, "Waiting") == (2, "the longest for less than 1 min")


def test_overdue_contacts_are_counted_by_operator_and_source(supervisor, operators, lines):
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    late, soon = characters.contact(bot), characters.contact(bot)
    now = timezone.now()
    Contact.objects.filter(pk=late.pk).update(due_at=now - timedelta(minutes=1))
    Contact.objects.filter(pk=soon.pk).update(due_at=now + timedelta(minutes=5))
    assert figure(supervisor, "Overdue") == (1, "of 2 to be taken in time")
    assert pages.shown(supervisor, operators()[0].overdue_url) == [late]
    assert operators()[0].clocks.overdue == lines()[0].clocks.overdue == 1


def test_the_last_contact_of_each_is_told(operators):
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    contact = characters.contact(characters.source(roster={anna: 10}))
    assert {line.operator: line.last_contact_at for line in operators()} == {anna: contact.assigned_at, boris: None}


def test_a_pause_takes_one_press_and_can_be_taken_back(supervisor):
    anna = characters.operator("Anna")
    answer = supervisor.post(f"/admin/operators/operator/{anna.pk}/pause/")
    assert answer.status_code == 204
    assert "Anna: paused until" in answer["HX-Trigger"]
    anna.refresh_from_db()
    assert not anna.is_active
    assert anna.paused_until
    assert timezone.now() + timedelta(minutes=29) < anna.paused_until < timezone.now() + timedelta(minutes=31)
    supervisor.post(f"/admin/operators/operator/{anna.pk}/resume/")
    back = Operator.objects.get()
    assert (back.is_active, back.paused_until) == (True, None)
    assert set(Change.objects.values_list("by", "via")) == {("user vera", "page")}


def test_a_pause_of_nobody_changes_nothing(supervisor):
    assert supervisor.post("/admin/operators/operator/4711/pause/").status_code == 404


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_who_may_only_look_cannot_pause(db, client, verb):
    anna = characters.operator("Anna")
    clerk = people.account("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_operator"))
    client.force_login(clerk)
    assert client.post(f"/admin/operators/operator/{anna.pk}/{verb}/").status_code == 403
    assert client.get(f"/admin/operators/operator/{anna.pk}/{verb}/").status_code == 405
    assert Operator.objects.get().paused_until is None
    assert "hx-post" not in client.get("/admin/").text
