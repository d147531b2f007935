import pytest
from django.core.management import CommandError, call_command

from leads import erasure
from leads.models import PossibleDuplicate
from operators.models import Operator
from routing import duty_edges, operator_actions
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
    Operator.objects.filter(pk=anna.pk).update(current_load=2)
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


def test_a_waiting_contact_that_counts_as_taken_is_found_and_mended(capsys):
    waiting = characters.contact(characters.source())
    type(waiting).objects.update(accepted_at=waiting.created_at)
    with pytest.raises(CommandError, match=f"Contact {waiting.pk} waits, but counts as taken"):
        call_command("check_routing")
    call_command("check_routing", "--fix")
    assert "Corrected 1 waiting contacts" in capsys.readouterr().out


def test_an_edge_of_duty_that_would_not_be_done_is_found_and_mended(anna):
    due = duty_edges.pause_operator(operator_id=anna.pk, minutes=5).next_edge_at
    Operator.objects.update(next_edge_at=None)
    assert ["would be turned never" in finding for finding in characters.findings()] == [True]
    call_command("check_routing", "--fix")
    assert Operator.objects.get(pk=anna.pk).next_edge_at == due


def test_a_pair_with_a_wrong_mark_is_found_and_mended(capsys):
    first, second = (characters.contact(characters.source()).lead for _ in range(2))
    PossibleDuplicate.objects.create(lead=first, other=second, is_merged=True)
    assert ["marked as merged" in finding for finding in characters.findings()] == [True]
    call_command("check_routing", "--fix")
    assert list(PossibleDuplicate.objects.undecided().values_list("lead", "other")) == [(first.pk, second.pk)]


def test_a_pair_of_somebody_erased_is_found_and_deleted(capsys):
    gone, other, third = (characters.contact(characters.source()).lead for _ in range(3))
    erasure.erase_lead(lead_id=gone.pk)
    PossibleDuplicate.objects.create(lead=gone, other=other)
    kept = PossibleDuplicate.objects.create(lead=other, other=third)
    assert ["has been erased" in finding for finding in characters.findings()] == [True]
    call_command("check_routing", "--fix")
    assert "Deleted 1 possible duplicates of erased leads." in capsys.readouterr().out
    assert list(PossibleDuplicate.objects.all()) == [kept]
