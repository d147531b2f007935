import pytest
from django.core.management import CommandError, call_command

from leads.models import PossibleDuplicate
from operators.load import set_load
from operators.models import Operator
from routing import operator_actions
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=2)


@pytest.fixture
def bot(anna):
    made = characters.source(roster={anna: 10})
    characters.contact(made)
    return made


def test_nothing_is_found_where_all_is_well(bot, capsys):
    call_command("check_routing")
    assert "agree" in capsys.readouterr().out


def test_a_drifted_load_is_found_and_mended(anna, bot):
    set_load(anna.pk, 2)
    with pytest.raises(CommandError, match=r"Anna\) has a load of 2, but 1 open contacts"):
        call_command("check_routing")
    call_command("check_routing", "--fix")
    assert characters.load(anna) == 1


def test_a_contact_given_beyond_the_limit_is_found(anna, bot):
    Operator.objects.filter(pk=anna.pk).update(current_load=0)
    characters.contact(bot)
    characters.contact(bot)
    with pytest.raises(CommandError, match="was assigned 3 contacts, above the limit of 2"):
        call_command("check_routing", "--fix")


def test_a_limit_lowered_below_the_load_is_no_fault(anna, bot):
    characters.contact(bot)
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 1})
    call_command("check_routing")


def test_an_open_contact_with_somebody_who_has_left_is_found(anna, bot):
    Operator.objects.filter(pk=anna.pk).update(archived_at=anna.created_at)
    with pytest.raises(CommandError, match="is archived, but still has 1 open contacts"):
        call_command("check_routing")


def test_a_pair_with_a_wrong_mark_is_found_and_mended(capsys):
    first, second = (characters.contact(characters.source()).lead for _ in range(2))
    PossibleDuplicate.objects.create(lead=first, other=second, is_merged=True)
    assert ["marked as merged" in finding for finding in characters.findings()] == [True]
    call_command("check_routing", "--fix")
    assert list(PossibleDuplicate.objects.undecided().values_list("lead", "other")) == [(first.pk, second.pk)]
