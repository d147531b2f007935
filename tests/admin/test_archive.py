import pytest

from core.admin import formatting
from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import Source
from tests import characters
from tests.admin import pages


def archived(thing):
    thing.refresh_from_db()
    return thing.archived_at is not None


@pytest.fixture
def left(db):
    """An operator in the archive."""
    left = characters.operator("Left")
    operator_actions.archive_operator(operator_id=left.pk)
    return left


@pytest.fixture
def closed(db):
    """A source in the archive."""
    closed = characters.source("Closed")
    source_actions.archive_source(source_id=closed.pk)
    return closed


def test_the_archive_is_out_of_sight_unless_asked_for(supervisor, left):
    anna = characters.operator("Anna")
    assert pages.shown(supervisor, pages.listing(Operator)) == [anna]
    assert pages.shown(supervisor, pages.listing(Operator) + "?archive=yes") == [left]


def test_the_archive_is_not_editable(supervisor, left):
    response = supervisor.get(pages.listing(Operator) + "?archive=yes")
    assert response.context["cl"].formset is None
    assert not supervisor.get(pages.page(left)).context["has_change_permission"]


def test_archiving_hands_open_contacts_to_somebody_else(supervisor):
    anna = characters.operator("Anna")
    contact = characters.contact(bot := characters.source(roster={anna: 10}))
    source_actions.set_weight(source_id=bot.pk, operator_id=(boris := characters.operator("Boris")).pk, weight=10)
    pages.run(supervisor, "archive_selected", anna)
    contact.refresh_from_db()
    assert archived(anna)
    assert contact.operator == boris


def test_an_operator_is_archived_and_restored_by_the_button_on_the_page(supervisor):
    anna = characters.operator("Anna")
    pages.press(supervisor, anna, "archive_this")
    assert archived(anna)
    pages.press(supervisor, anna, "restore_this")
    assert not archived(anna)


def test_looking_at_the_dialog_changes_nothing(supervisor):
    anna = characters.operator("Anna")
    supervisor.get(pages.button(anna, "archive_this"))
    assert not archived(anna)


def test_the_page_offers_the_buttons_that_fit(supervisor, left):
    anna = characters.operator("Anna")
    assert pages.offered(supervisor, anna) == [
        "shifts",
        "hand_over_this",
        "hand_over_on_duty_this",
        "leave_this",
        "archive_this",
    ]
    assert pages.offered(supervisor, left) == ["restore_this"]


def test_operators_are_restored_from_the_list_of_the_archive(supervisor, left):
    pages.run(supervisor, "restore_selected", left, archive=True)
    assert not archived(left)


def test_archiving_who_has_just_been_archived_says_so(supervisor, left):
    response = pages.press(supervisor, left, "archive_this")
    assert pages.said(response) == ["Left. It no longer exists, or is archived."]


def test_a_source_is_archived_and_restored(supervisor):
    bot = characters.source()
    pages.run(supervisor, "archive_selected", bot)
    assert archived(bot)
    pages.press(supervisor, bot, "restore_this")
    assert not archived(bot)


def test_a_source_whose_name_is_taken_by_now_is_not_restored(supervisor, closed):
    characters.source("Closed")
    response = pages.run(supervisor, "restore_selected", closed, archive=True)
    assert pages.said(response) == ["Closed. A source with this name already exists."]
    assert archived(closed)


def test_no_source_is_deleted(supervisor, closed):
    assert supervisor.post(pages.page(closed).replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert Source.objects.filter(pk=closed.pk).exists()


def test_the_page_of_who_left_tells_the_former_weights_without_a_share(supervisor):
    left, stays = characters.operator("Left"), characters.operator("Stays")
    characters.source("Telegram", roster={left: 10, stays: 30})
    operator_actions.archive_operator(operator_id=left.pk)
    assert ">Telegram: 10</a>" in supervisor.get(pages.page(left)).text


def test_the_page_of_the_last_who_left_opens(supervisor):
    left = characters.operator("Left")
    characters.source("Telegram", roster={left: 10})
    operator_actions.archive_operator(operator_id=left.pk)
    assert ">Telegram: 10</a>" in supervisor.get(pages.page(left)).text


def test_a_weight_has_no_share_where_nobody_shares():
    assert formatting.share(10, 0) == formatting.NOTHING
