"""While a page is open, somebody else saves another one: nothing of theirs is overwritten without a word."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from core.errors import Overtaken
from leads import erasure, lead_editing, merging
from leads.models import Lead
from operators.models import Operator
from routing import lifecycle, operator_actions, source_actions
from tests import characters
from tests.admin import pages

pytestmark = pytest.mark.django_db

CHANGED = "Somebody has changed this while the page was open. Now: {}. Save again to overwrite it."


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=3)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10, characters.operator("Boris"): 10})


@pytest.fixture
def ivan():
    bot = characters.source()
    return characters.contact(bot, lead_phone="+79991234567", lead_email="i@example.com", lead_name="Ivan").lead


def save(client, thing, changes, *, seen):
    """Sends the page as it was `seen`, with these fields changed."""
    return client.post(pages.page(thing), {k: v for k, v in (pages.filled(seen) | changes).items() if v is not None})


def errors(answer):
    """Of fields, which come as lists, and of the whole roster."""
    found = answer.context["errors"]
    return [str(error) for one in found for error in ([one] if isinstance(one, str) else one)]


def change_operator(operator, **changes):
    operator_actions.change_operator(operator_id=operator.pk, changes=changes)


def test_the_second_is_told_what_the_first_has_done_and_may_overwrite_it(supervisor, anna):
    seen = supervisor.get(pages.page(anna))
    change_operator(anna, max_per_hour=7)
    answer = save(supervisor, anna, {"max_per_hour": "5"}, seen=seen)
    assert errors(answer) == [CHANGED.format(7)]
    assert Operator.objects.get(pk=anna.pk).max_per_hour == 7
    assert answer.context["adminform"].form["max_per_hour"].value() == "5"
    save(supervisor, anna, {}, seen=answer)
    assert Operator.objects.get(pk=anna.pk).max_per_hour == 5


def test_what_is_overwritten_is_what_was_told(supervisor, anna):
    """A third change, after the second was told of the first, is told as well."""
    seen = supervisor.get(pages.page(anna))
    change_operator(anna, max_per_hour=7)
    told = save(supervisor, anna, {"max_per_hour": "5"}, seen=seen)
    change_operator(anna, max_per_hour=8)
    assert errors(save(supervisor, anna, {}, seen=told)) == [CHANGED.format(8)]


def test_who_makes_the_same_change_is_not_told(supervisor, anna):
    seen = supervisor.get(pages.page(anna))
    change_operator(anna, max_per_hour=5)
    assert save(supervisor, anna, {"max_per_hour": "5"}, seen=seen).status_code == 302


def test_another_field_is_left_alone(supervisor, anna):
    seen = supervisor.get(pages.page(anna))
    change_operator(anna, max_per_hour=7, max_load=7, is_active=False)
    save(supervisor, anna, {"name": "Anna B."}, seen=seen)
    anna.refresh_from_db()
    assert (anna.name, anna.max_load, anna.is_active, anna.max_per_hour) == ("Anna B.", 7, False, 7)


@pytest.mark.parametrize(
    ("field", "first", "second", "told"),
    [
        ("name", {"name": "Telegram 2"}, "Telegram 3", "Telegram 2"),
        ("description", {"description": "Ours"}, "Theirs", "Ours"),
        ("strategy", {"strategy": "smooth"}, "least_loaded", "{strategy}"),
        ("phone_region", {"phone_region": "KZ"}, "UA", "KZ"),
    ],
)
def test_every_kind_of_field_is_told(supervisor, bot, field, first, second, told):
    seen = supervisor.get(pages.page(bot))
    source_actions.change_source(source_id=bot.pk, changes=first)
    bot.refresh_from_db()
    answer = save(supervisor, bot, {field: second}, seen=seen)
    assert errors(answer) == [CHANGED.format(told.format(strategy=bot.get_strategy_display()))]
    assert getattr(type(bot).objects.get(), field) == first[field]


def test_a_field_that_was_emptied_is_told(supervisor, bot):
    source_actions.change_source(source_id=bot.pk, changes={"description": "Ours"})
    seen = supervisor.get(pages.page(bot))
    source_actions.change_source(source_id=bot.pk, changes={"description": ""})
    assert errors(save(supervisor, bot, {"description": "Theirs"}, seen=seen)) == [CHANGED.format("–")]


def test_a_change_at_the_very_same_moment_is_a_message(supervisor, anna, monkeypatch):
    """Between the check of the form and the lock of the function."""
    seen, change = supervisor.get(pages.page(anna)), operator_actions.change_operator
    monkeypatch.setattr(
        operator_actions,
        "change_operator",
        lambda **call: (change(operator_id=anna.pk, changes={"max_per_hour": 7}), change(**call)),
    )
    answer = save(supervisor, anna, {"max_per_hour": "5"}, seen=seen)
    assert pages.said(answer) == ["Somebody else was faster. Nothing was saved; please look at it again."]
    assert Operator.objects.get(pk=anna.pk).max_per_hour == 7


def test_functions_compare_with_what_was_seen(anna, bot, ivan):
    for call in (
        lambda: operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 5}, seen={"max_load": 4}),
        lambda: source_actions.change_source(source_id=bot.pk, changes={"name": "B"}, seen={"name": "C"}),
        lambda: source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 20}, seen={anna.pk: 15}),
        lambda: lead_editing.edit_lead(lead_id=ivan.pk, changes={"name": "A"}, seen={"name": "B"}),
        lambda: lead_editing.edit_lead(lead_id=ivan.pk, changes={"phone": None}, seen={"phone": "+79990000000"}),
    ):
        with pytest.raises(Overtaken):
            call()


# A lead


def test_a_name_and_a_phone_that_a_colleague_has_corrected_are_told(supervisor, ivan):
    seen = supervisor.get(pages.page(ivan))
    lead_editing.edit_lead(lead_id=ivan.pk, changes={"name": "Ivan P.", "phone": "+79990000001"})
    answer = save(supervisor, ivan, {"name": "Ivan S.", "phone": "+79990000002"}, seen=seen)
    assert sorted(errors(answer)) == sorted([CHANGED.format("Ivan P."), CHANGED.format("+79990000001")])
    assert Lead.objects.get().name == "Ivan P."


@pytest.mark.parametrize("verb", ["merge", "erase"])
def test_a_lead_that_is_gone_meanwhile_is_a_message(supervisor, ivan, verb):
    seen = supervisor.get(pages.page(ivan))
    if verb == "erase":
        erasure.erase_lead(lead_id=ivan.pk)
    else:
        merging.merge_leads(lead_id=characters.contact(characters.source()).lead_id, other_id=ivan.pk)
    answer = save(supervisor, ivan, {"name": "Ivan S."}, seen=seen)
    assert pages.said(answer) == ["It was archived, merged or erased while the page was open. Nothing was saved."]
    assert supervisor.get(answer.url).status_code == 200


def test_who_was_archived_meanwhile_is_a_message(supervisor, anna, bot):
    before = [(one, supervisor.get(pages.page(one))) for one in (anna, bot)]
    operator_actions.archive_operator(operator_id=anna.pk)
    source_actions.archive_source(source_id=bot.pk)
    for one, seen in before:
        answer = save(supervisor, one, {"name": "Another"}, seen=seen)
        told = pages.said(answer)[-1]
        assert told == "It was archived, merged or erased while the page was open. Nothing was saved."


def test_who_may_only_look_is_still_refused(client, anna):
    client.force_login(User.objects.create_user("nora", is_staff=True))
    assert client.post(pages.page(anna), {"name": "Another"}).status_code == 403


# Users and roles


@pytest.fixture
def roles():
    return [Group.objects.create(name=name) for name in ("Night", "Day")]


@pytest.fixture
def nora():
    return User.objects.create_user("nora", first_name="Nora", is_staff=True)


def test_a_role_that_was_given_meanwhile_is_told(supervisor, nora, roles):
    night, day = roles
    seen = supervisor.get(pages.page(nora))
    nora.groups.add(night)
    answer = save(supervisor, nora, {"groups": [day.pk]}, seen=seen)
    assert errors(answer) == [CHANGED.format("+ Night")]
    assert list(nora.groups.all()) == [night]
    save(supervisor, nora, {}, seen=answer)
    assert list(nora.groups.all()) == [day]


def test_roles_and_columns_that_the_user_has_not_touched_stay(supervisor, nora, roles):
    seen = supervisor.get(pages.page(nora))
    nora.groups.add(roles[0])
    User.objects.filter(pk=nora.pk).update(last_name="Berg", is_active=False)
    assert save(supervisor, nora, {"first_name": "Nora M."}, seen=seen).status_code == 302
    nora.refresh_from_db()
    assert (nora.first_name, nora.last_name, nora.is_active) == ("Nora M.", "Berg", False)
    assert list(nora.groups.all()) == [roles[0]]


def test_permissions_of_a_role_that_were_changed_meanwhile_are_told(supervisor, roles):
    night = roles[0]
    change, view = (Permission.objects.get(codename=f"{verb}_operator") for verb in ("change", "view"))
    seen = supervisor.get(pages.page(night))
    night.permissions.add(change)
    answer = save(supervisor, night, {"permissions": [view.pk]}, seen=seen)
    assert errors(answer) == [CHANGED.format("+ Operator: change")]
    assert list(night.permissions.all()) == [change]


def test_the_operator_of_an_account_that_was_changed_meanwhile_is_told(supervisor, nora, anna):
    boris = characters.operator("Boris")
    seen = supervisor.get(pages.page(nora))
    Operator.objects.filter(pk=anna.pk).update(user=nora)
    answer = save(supervisor, nora, {"operator": boris.pk}, seen=seen)
    assert errors(answer) == [CHANGED.format("Anna")]
    assert nora.operator == anna


# A contact


def test_a_contact_that_a_colleague_has_assigned_meanwhile_stays_with_whom_they_chose(supervisor, bot, anna):
    boris, vera = Operator.objects.get(name="Boris"), characters.operator("Vera")
    contact = characters.contact(bot, draw=lambda: 0.0)
    dialog = supervisor.get(pages.button(contact, "give_this")).text
    holder = f"{contact.pk}:{anna.pk}"
    assert f'name="holder" value="{holder}"' in dialog
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    answer = pages.press(supervisor, contact, "give_this", operator=vera.pk, holder=holder)
    assert "Boris has this contact now." in pages.said(answer)[0]
    contact.refresh_from_db()
    assert contact.operator == boris
