import pytest

from operators.models import Operator
from routing import operator_actions
from tests import characters
from tests.admin import pages


@pytest.fixture
def save_list(supervisor, django_capture_on_commit_callbacks):
    """Sends the list with these fields changed, as it was when `seen`."""

    def save(changes, seen=None):
        data = pages.filled(seen or supervisor.get(pages.listing(Operator))) | changes | {"_save": "1"}
        with django_capture_on_commit_callbacks(execute=True):
            return supervisor.post(pages.listing(Operator), {k: v for k, v in data.items() if v is not None})

    return save


def test_duty_and_limit_are_changed_in_the_list(save_list):
    anna = characters.operator("Anna", limit=3)
    save_list({"form-0-is_active": None, "form-0-max_load": "7"})
    anna.refresh_from_db()
    assert (anna.is_active, anna.max_load) == (False, 7)


def test_who_is_put_on_duty_in_the_list_gets_what_waits(save_list):
    off_duty = characters.operator(is_active=False)
    waiting = characters.contact(characters.source(roster={off_duty: 10}))
    save_list({"form-0-is_active": "on"})
    waiting.refresh_from_db()
    assert waiting.operator == off_duty


def test_saving_the_list_leaves_alone_what_somebody_else_changed_meanwhile(supervisor, save_list):
    anna = characters.operator("Anna", limit=3)
    seen = supervisor.get(pages.listing(Operator))
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    save_list({"form-0-max_load": "7"}, seen)
    anna.refresh_from_db()
    assert (anna.is_active, anna.max_load) == (False, 7)


def test_a_limit_of_a_thousand_is_refused_in_the_list(save_list):
    anna = characters.operator("Anna", limit=3)
    response = save_list({"form-0-max_load": "1000"})
    assert "100" in str(response.context["cl"].formset.errors)
    anna.refresh_from_db()
    assert anna.max_load == 3


def test_who_has_just_been_archived_is_named_in_a_message(supervisor, save_list, monkeypatch):
    characters.operator("Anna")
    seen = supervisor.get(pages.listing(Operator))
    change = operator_actions.change_operator
    monkeypatch.setattr(
        operator_actions,
        "change_operator",
        lambda **call: (operator_actions.archive_operator(operator_id=call["operator_id"]), change(**call)),
    )
    response = save_list({"form-0-max_load": "7"}, seen)
    assert any(message.startswith("Anna. It no longer exists") for message in pages.said(response))


def test_a_refused_row_leaves_the_others_saved(supervisor, save_list, monkeypatch):
    anna, boris = characters.operator("Anna", limit=3), characters.operator("Boris", limit=3)
    seen = supervisor.get(pages.listing(Operator))
    change = operator_actions.change_operator
    monkeypatch.setattr(
        operator_actions,
        "change_operator",
        lambda **call: (
            call["operator_id"] == anna.pk and operator_actions.archive_operator(operator_id=anna.pk),
            change(**call),
        ),
    )
    save_list({"form-0-max_load": "7", "form-1-max_load": "8"}, seen)
    anna.refresh_from_db()
    boris.refresh_from_db()
    assert (anna.max_load, boris.max_load) == (3, 8)


def test_a_load_that_grows_while_the_list_is_open_is_kept(supervisor, save_list):
    bot = characters.source(roster={(anna := characters.operator("Anna", limit=3)): 10})
    seen = supervisor.get(pages.listing(Operator))
    characters.contact(bot)
    save_list({"form-0-max_load": "7"}, seen)
    anna.refresh_from_db()
    assert (anna.max_load, anna.current_load) == (7, 1)


def test_the_page_of_an_operator_changes_name_duty_and_limit(supervisor):
    anna = characters.operator("Anna", limit=3)
    supervisor.post(pages.page(anna), {"name": "Anna B.", "is_active": "on", "max_load": "5"})
    anna.refresh_from_db()
    assert (anna.name, anna.is_active, anna.max_load) == ("Anna B.", True, 5)


def test_a_load_cannot_be_edited(supervisor):
    anna = characters.operator("Anna", limit=3)
    characters.contact(characters.source(roster={anna: 10}))
    data = pages.filled(supervisor.get(pages.page(anna)))
    supervisor.post(pages.page(anna), data | {"name": "Anna B.", "load": "0", "current_load": "0"})
    assert characters.load(anna) == 1


def test_a_load_that_grows_while_the_page_is_being_saved_is_kept(supervisor, monkeypatch):
    bot = characters.source(roster={(anna := characters.operator("Anna", limit=3)): 10})
    monkeypatch.setattr("operators.admin.OperatorForm.clean", lambda form: characters.contact(bot) and None)
    supervisor.post(pages.page(anna), {"name": "Anna B.", "is_active": "on", "max_load": "5"})
    anna.refresh_from_db()
    assert (anna.name, anna.current_load) == ("Anna B.", 1)


def test_an_operator_is_made(supervisor):
    supervisor.post(pages.adding(Operator), {"name": "Anna", "is_active": "on", "max_load": "5"})
    assert Operator.objects.get().name == "Anna"


def test_nobody_is_deleted(supervisor):
    anna = characters.operator("Anna")
    assert supervisor.post(pages.page(anna).replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in str(supervisor.get(pages.listing(Operator)).context["action_form"])


def test_the_load_is_shown_beside_the_limit(supervisor):
    anna = characters.operator("Anna", limit=4)
    characters.contact(characters.source(roster={anna: 10}))
    assert "1 of 4" in supervisor.get(pages.listing(Operator)).text


def test_the_page_shows_each_roster_with_the_weight_and_its_share(supervisor):
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    characters.source("Telegram", roster={anna: 10, boris: 30})
    assert "Telegram: 10 (25%)" in supervisor.get(pages.page(anna)).text


@pytest.mark.both
def test_names_are_found_in_any_case(supervisor):
    anna = characters.operator("Анна Петрова")
    characters.operator("Борис")
    assert pages.shown(supervisor, pages.listing(Operator) + "?q=петров") == [anna]


def test_an_external_ref_is_given_found_and_refused_to_a_second(supervisor):
    characters.operator("Anna")
    data = {"name": "Boris", "max_load": "5", "external_ref": "tg-1", "is_active": "on"}
    supervisor.post(pages.adding(Operator), data)
    boris = Operator.objects.get(external_ref="tg-1")
    assert pages.shown(supervisor, pages.listing(Operator) + "?q=tg-1") == [boris]
    response = supervisor.post(pages.adding(Operator), data | {"name": "Vera"})
    assert "Another operator has this id" in response.text
    assert Operator.objects.count() == 2
