import random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from leads import seeding
from leads.models import Lead
from operators.models import Operator
from routing import fairness, invariants
from routing.models import Contact, RosterEntry, Source, Tally, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db


def test_the_demo_is_the_same_after_a_second_time(capsys):
    for _ in range(2):
        call_command("seed_demo")
    assert (Operator.objects.count(), Source.objects.count(), RosterEntry.objects.count()) == (4, 3, 8)


def test_seeded_contacts_come_through_the_intake_and_are_reported(capsys):
    bot = characters.source("Bot", roster={characters.operator("Anna", limit=3): 10})
    call_command("seed_contacts", "--count", "5", "--source", str(bot.pk))
    assert (Contact.objects.open().count(), Contact.objects.waiting().count()) == (3, 2)
    report = capsys.readouterr().out
    assert "Bot: 3 assigned, 2 waiting" in report
    assert "100.0%" in report


def test_seeding_needs_a_roster():
    with pytest.raises(CommandError, match="No source has a roster"):
        call_command("seed_contacts", "--count", "1")


@pytest.mark.parametrize(
    ("options", "said"), [(["--source", "404"], "no source with id 404"), (["--count", "0"], "at least 1")]
)
def test_seeding_refuses_what_makes_no_sense(options, said):
    characters.source(roster={characters.operator(): 1})
    with pytest.raises(CommandError, match=said):
        call_command("seed_contacts", *(["--count", "1"] if "--count" not in options else []), *options)


def seed_fast(*options):
    call_command("seed_contacts", "--fast", "--count", "40", *options)


@pytest.fixture
def year():
    """Two thousand contacts, three of which wait."""
    return sum(seeding.seed(count=2_000, waiting=3, now=timezone.now(), rng=random.Random(1)))


def test_a_fast_year_leaves_what_the_intake_would_leave(year):
    assert year == Contact.objects.count() == 2 * Lead.objects.count() == 2_000
    assert Contact.objects.waiting().count() == 3
    assert Contact.objects.open().exists()
    assert [*characters.findings(), *invariants.wrong_decisions()] == []


def test_the_tallies_of_a_fast_year_are_those_of_its_decisions(year):
    told = fairness.distribution()
    Tally.objects.all().delete()
    Upkeep.objects.update(tallied_until=None)
    counted = fairness.shares(None, None, None)
    assert [(one.source_id, one.operator_id, one.assigned) for one in told] == [
        (one.source_id, one.operator_id, one.assigned) for one in counted
    ]
    assert [one.low for one in told] == pytest.approx([one.low for one in counted])


def test_contacts_come_as_usual_after_a_fast_year(year):
    contact = characters.contact(Contact.objects.open().latest("pk").source)
    assert contact.pk == 2_001
    assert characters.findings() == []


def test_a_fast_year_does_not_come_beside_others_unasked():
    characters.contact(characters.source())
    with pytest.raises(CommandError, match="--beside-others"):
        seed_fast()
    seed_fast("--beside-others")
    assert Contact.objects.count() == 41


def test_no_more_can_wait_than_come():
    with pytest.raises(CommandError, match="between 0 and --count"):
        seed_fast("--waiting", "41")


@pytest.mark.parametrize("option", [["--waiting", "1"], ["--beside-others"]])
def test_what_shapes_a_fast_year_makes_no_sense_without_it(option):
    with pytest.raises(CommandError, match=r"go with --fast"):
        call_command("seed_contacts", "--count", "1", *option)
