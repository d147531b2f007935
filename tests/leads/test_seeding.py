import pytest
from django.core.management import CommandError, call_command

from operators.models import Operator
from routing.models import Contact, RosterEntry, Source
from tests import characters

pytestmark = pytest.mark.django_db


def test_the_demo_is_the_same_after_a_second_time(capsys):
    for _ in range(2):
        call_command("seed_demo")
    assert (Operator.objects.count(), Source.objects.count(), RosterEntry.objects.count()) == (4, 3, 8)


def test_seeded_contacts_are_registered_and_reported(capsys):
    bot = characters.source("Bot", roster={characters.operator("Anna", limit=3): 10})
    call_command("seed_contacts", "--count", "5", "--source", str(bot.pk))
    assert (Contact.objects.open().count(), Contact.objects.waiting().count()) == (3, 2)
    report = capsys.readouterr().out
    assert "Bot: 3 assigned, 2 waiting" in report
    assert "100.0%" in report


def test_the_columns_of_the_report_do_not_touch(capsys):
    bot = characters.source("Bot", roster={characters.operator("Anna", limit=100, current_load=99): 10})
    call_command("seed_contacts", "--count", "1", "--source", str(bot.pk))
    [anna] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Anna")]
    assert anna.split() == ["Anna", "1", "100.0%", "10", "100.0%", "100", "of", "100"]


def test_seeding_needs_a_roster():
    with pytest.raises(CommandError, match="No source has a roster"):
        call_command("seed_contacts", "--count", "1")


@pytest.mark.parametrize(
    ("options", "said"), [(["--source", "404"], "Source 404 does not exist"), (["--count", "0"], "at least 1")]
)
def test_seeding_refuses_what_makes_no_sense(options, said):
    characters.source(roster={characters.operator(): 1})
    with pytest.raises(CommandError, match=said):
        call_command("seed_contacts", *(["--count", "1"] if "--count" not in options else []), *options)
