"""scripts/fill writes what registration would have written."""

import random

import fill
import pytest
import scale_data
from django.utils import timezone

from leads.models import Lead
from routing import fairness, invariants
from routing.models import Contact, Tally, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def year():
    """Two thousand contacts, three of which wait."""
    return sum(scale_data.write_year(count=2_000, waiting=3, now=timezone.now(), rng=random.Random(1)))


def test_the_rows_are_those_that_registration_writes(year):
    assert year == Contact.objects.count() == 2 * Lead.objects.count() == 2_000
    assert Contact.objects.waiting().count() == 3
    assert Contact.objects.open().exists()
    assert [*characters.findings(), *invariants.wrong_decisions()] == []


def test_the_tallies_are_those_of_the_decisions(year):
    written = fairness.distribution()
    Tally.objects.all().delete()
    Upkeep.objects.update(tallied_until=None)
    counted = fairness.shares(None, None, None)
    assert [(one.source_id, one.operator_id, one.assigned) for one in written] == [
        (one.source_id, one.operator_id, one.assigned) for one in counted
    ]
    assert [one.low for one in written] == pytest.approx([one.low for one in counted])


def test_contacts_are_registered_as_usual_after_it(year):
    contact = characters.contact(Contact.objects.open().latest("pk").source)
    assert (contact, Contact.objects.count()) == (Contact.objects.latest("pk"), 2_001)
    assert characters.findings() == []


def test_a_database_that_has_contacts_is_filled_only_on_request(capsys):
    characters.contact(characters.source())
    with pytest.raises(SystemExit, match="--beside-others"):
        fill.main(["--count", "40"])
    fill.main(["--count", "40", "--beside-others"])
    assert Contact.objects.count() == 41
    assert capsys.readouterr().out.startswith("40 contacts, 0 of them waiting: ")


@pytest.mark.parametrize(
    ("nonsense", "message"),
    [
        (["--count", "0"], "--count must be at least 1."),
        (["--count", "40", "--waiting", "41"], "--waiting must be between 0 and --count."),
    ],
)
def test_nonsense_is_refused(nonsense, message, capsys):
    with pytest.raises(SystemExit):
        fill.main(nonsense)
    assert message in capsys.readouterr().err
