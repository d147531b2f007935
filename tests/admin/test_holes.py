"""Faults of the configuration are listed until they are mended."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routing import operator_actions, source_actions
from routing.admin.holes import NAMED, configuration_holes
from routing.models import Source
from tests import characters
from tests.admin import pages

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def sentences():
    return [hole.sentence for hole in configuration_holes()]


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=3)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


def change(operator, **changes):
    operator_actions.change_operator(operator_id=operator.pk, changes=changes)


def test_a_sound_configuration_has_none(bot):
    assert sentences() == []


def test_a_source_without_a_roster(bot):
    empty = characters.source("Site")
    [hole] = configuration_holes()
    assert hole == ("Site: nobody is on the roster.", pages.page(empty))


def test_a_source_with_nobody_on_duty_and_what_waits_there(bot, anna):
    change(anna, is_active=False)
    assert sentences() == ["Telegram: nobody is on duty."]
    characters.contact(bot)
    assert sentences() == ["Telegram: nobody is on duty. 1 contact waits."]
    change(anna, is_active=True)
    assert sentences() == []


def test_an_archived_operator_is_nobody(bot, anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    assert sentences() == ["Telegram: nobody is on the roster."]


def test_a_source_outside_its_hours_or_in_the_archive_is_no_fault(bot, anna):
    change(anna, is_active=False)
    Source.objects.update(opens_at="2099-01-01T00:00Z")
    assert sentences() == []
    Source.objects.update(opens_at=None)
    source_actions.archive_source(source_id=bot.pk)
    assert sentences() == ["Anna is on no roster and gets no contacts."]


def test_an_operator_on_no_roster(bot):
    boris = characters.operator("Boris")
    [hole] = configuration_holes()
    assert hole == ("Boris is on no roster and gets no contacts.", pages.page(boris))


def test_a_limit_below_the_load(bot, anna):
    characters.contact(bot)
    characters.contact(bot)
    change(anna, max_load=2)
    assert sentences() == []
    change(anna, max_load=1)
    assert sentences() == ["Anna has 2 open contacts, above the limit of 1."]


def test_names_are_only_names(bot):
    characters.operator("100% %(load)s <b>")
    assert sentences() == ["100% %(load)s <b> is on no roster and gets no contacts."]


def test_many_take_no_more_statements_and_are_not_all_named(bot):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            configuration_holes()
        return len(captured)

    characters.operator("Boris")
    characters.source("Site")
    few = statements()
    for number in range(NAMED + 5):
        characters.operator(f"Operator {number:02}")
        characters.source(f"Site {number:02}")
    assert statements() == few
    assert len(sentences()) == 2 * (NAMED + 1)
    assert configuration_holes()[-1].link == reverse("admin:operators_operator_changelist")
