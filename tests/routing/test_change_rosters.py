"""Many weights of several sources are changed together, or not at all."""

import pytest

from core.changes.models import Change, Via
from core.changes.recording import Author
from core.errors import Overtaken, Unknown
from routing import source_actions
from routing.models import Contact, RosterEntry
from routing.roster_writing import RosterChange
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)

VERA = Author("user vera", Via.PAGE, "Season")


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris")


@pytest.fixture
def telegram(anna):
    return characters.source("Telegram", roster={anna: 10})


@pytest.fixture
def site(anna):
    return characters.source("Site", roster={anna: 20})


def weights():
    return {(one.source_id, one.operator_id): one.weight for one in RosterEntry.objects.all()}


def test_each_source_has_a_record_with_the_same_reason(anna, boris, telegram, site):
    Change.objects.all().delete()
    source_actions.change_rosters(
        rosters={
            site.pk: RosterChange({boris.pk: 5}, [anna.pk], {boris.pk: None, anna.pk: 20}),
            telegram.pk: RosterChange({anna.pk: 30}, (), {anna.pk: 10}),
        },
        author=VERA,
    )
    assert weights() == {(telegram.pk, anna.pk): 30, (site.pk, boris.pk): 5}
    made = Change.objects.order_by("source_id").values_list("source_id", "before", "after", "reason", "by")
    assert list(made) == [
        (telegram.pk, {str(anna.pk): 10}, {str(anna.pk): 30}, "Season", "user vera"),
        (
            site.pk,
            {str(anna.pk): 20, str(boris.pk): None},
            {str(anna.pk): None, str(boris.pk): 5},
            "Season",
            "user vera",
        ),
    ]


def test_nothing_is_changed_if_one_was_overtaken(anna, telegram, site):
    before = weights()
    rosters = {
        telegram.pk: RosterChange({anna.pk: 1}, (), {anna.pk: 10}),
        site.pk: RosterChange({anna.pk: 1}, (), {anna.pk: 7}),
    }
    with pytest.raises(Overtaken):
        source_actions.change_rosters(rosters=rosters, author=VERA)
    assert weights() == before


@pytest.mark.parametrize("gone", ["source", "operator"])
def test_nothing_is_changed_if_one_does_not_exist(anna, telegram, gone):
    source_id, operator_id = (99_999, anna.pk) if gone == "source" else (telegram.pk, 99_999)
    rosters = {telegram.pk: RosterChange({anna.pk: 1}), source_id: RosterChange({operator_id: 5, anna.pk: 1})}
    with pytest.raises(Unknown):
        source_actions.change_rosters(rosters=rosters, author=VERA)
    assert weights() == {(telegram.pk, anna.pk): 10}


def test_what_waits_is_assigned(boris, anna):
    empty, other = characters.source("Empty"), characters.source("Other")
    waiting = [characters.contact(empty), characters.contact(other)]
    rosters = {empty.pk: RosterChange({boris.pk: 5}), other.pk: RosterChange({anna.pk: 5})}
    source_actions.change_rosters(rosters=rosters, author=VERA)
    assert [Contact.objects.get(pk=one.pk).operator for one in waiting] == [boris, anna]
