import pytest
from django.contrib.auth.models import Permission, User

from operators.models import Operator
from routing import operator_actions
from tests import characters
from tests.admin import pages


def test_the_list_has_a_switch_and_a_limit_for_each_and_nothing_to_save(supervisor):
    anna = characters.operator("Anna", limit=3)
    page = supervisor.get(pages.listing(Operator)).text
    assert f'id="duty-switch-{anna.pk}"' in page
    assert f'id="limit-input-{anna.pk}"' in page
    assert 'name="_save"' not in page


def test_the_archive_has_no_switches(supervisor):
    anna = characters.operator("Anna")
    operator_actions.archive_operator(operator_id=anna.pk)
    page = supervisor.get(pages.listing(Operator) + "?archive=yes").text
    assert "Anna" in page
    assert 'role="switch"' not in page
    assert 'role="switch"' not in supervisor.get(pages.page(anna)).text


def test_who_may_only_look_sees_duty_and_limit_as_text(client, db):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_operator"))
    client.force_login(user)
    anna = characters.operator("Anna", is_active=False, limit=3)
    for url in (pages.listing(Operator), pages.page(anna)):
        page = client.get(url).text
        assert "off duty" in page
        assert 'role="switch"' not in page
        assert "data-instant" not in page


def test_the_list_sorts_by_how_full(supervisor):
    """One of two is fuller than two of ten."""
    full, half = characters.operator("Anna", limit=10), characters.operator("Boris", limit=2)
    Operator.objects.filter(pk=full.pk).update(current_load=2)
    Operator.objects.filter(pk=half.pk).update(current_load=1)
    column = supervisor.get(pages.listing(Operator)).context["cl"].list_display.index("load")
    assert pages.shown(supervisor, pages.listing(Operator) + f"?o=-{column}") == [half, full]


def test_above_the_limit_is_said_otherwise_than_at_the_limit(supervisor):
    anna, boris = characters.operator("Anna", limit=2), characters.operator("Boris", limit=2)
    Operator.objects.filter(pk=anna.pk).update(current_load=2)
    Operator.objects.filter(pk=boris.pk).update(current_load=5)
    page = supervisor.get(pages.listing(Operator)).text
    assert "2 of 2<" in page
    assert "5 of 2, over by 3" in page
    assert page.count("load-full") == page.count("load-over") == 1


def test_the_page_of_an_operator_saves_the_name_and_leaves_duty_and_limit_alone(supervisor):
    anna = characters.operator("Anna", limit=3)
    supervisor.post(pages.page(anna), {"name": "Anna B.", "max_load": "5"})
    anna.refresh_from_db()
    assert (anna.name, anna.is_active, anna.max_load) == ("Anna B.", True, 3)


def test_the_page_says_what_is_wrong_until_it_is_mended(supervisor):
    anna = characters.operator("Anna")
    assert "Anna is on no roster and gets no contacts." in supervisor.get(pages.page(anna)).text
    characters.source(roster={anna: 10})
    assert "is on no roster" not in supervisor.get(pages.page(anna)).text


def test_a_new_operator_on_no_roster_is_told(supervisor):
    response = supervisor.post(pages.adding(Operator), {"name": "Anna", "is_active": "on", "max_load": "5"})
    assert "Anna is on no roster and gets no contacts." in pages.said(response)


def test_a_load_cannot_be_edited(supervisor):
    anna = characters.operator("Anna", limit=3)
    characters.contact(characters.source(roster={anna: 10}))
    data = pages.filled(supervisor.get(pages.page(anna)))
    supervisor.post(pages.page(anna), data | {"name": "Anna B.", "load": "0", "current_load": "0"})
    assert characters.load(anna) == 1


def test_a_load_that_grows_while_the_page_is_being_saved_is_kept(supervisor, monkeypatch):
    bot = characters.source(roster={(anna := characters.operator("Anna", limit=3)): 10})
    monkeypatch.setattr("operators.admin.OperatorForm.clean", lambda form: characters.contact(bot) and None)
    supervisor.post(pages.page(anna), {"name": "Anna B."})
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


@pytest.mark.parametrize("button", ["archive_this", "hand_over_this"])
def test_who_is_the_last_on_duty_is_told_before_and_after(supervisor, button):
    anna, boris = characters.operator("Anna"), characters.operator("Boris", is_active=False)
    characters.source("Telegram", roster={anna: 10, boris: 10})
    characters.source("Site", roster={anna: 10, characters.operator("Vera"): 10})
    dialog = supervisor.get(pages.button(anna, button)).text
    assert "Telegram has nobody on duty then." in dialog
    assert "Site has" not in dialog
    said = pages.said(pages.press(supervisor, anna, button))
    assert "Telegram: nobody is on duty." in said
    assert not any("Site" in one for one in said)


def test_the_page_says_that_a_cap_counts_what_is_given_by_hand(supervisor):
    """tests/routing/test_caps.py shows that it does."""
    form = supervisor.get(pages.page(characters.operator("Anna"))).context["adminform"].form
    assert ["by hand" in form.fields[cap].help_text for cap in ("max_per_hour", "max_per_day")] == [True, True]
