"""`check_routing --deep`: what the night looks at, and who is told."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from leads.management.commands import check_routing
from notifications.messenger import conditions
from operators.models import Operator
from routing.models import Contact, Upkeep

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_a_pause(monkeypatch):
    monkeypatch.setattr(check_routing, "SETTLE", 0)


@pytest.fixture
def moved(desk):
    """A contact that was moved together with the loads, which leaves what is compared by day in agreement."""
    Contact.objects.filter(pk=desk.taken.pk).update(operator=desk.boris)
    Operator.objects.filter(pk__in=[desk.anna.pk, desk.boris.pk]).update(current_load=1)
    return desk.taken


def test_the_night_finds_what_the_day_does_not(moved):
    call_command("check_routing")
    with pytest.raises(CommandError, match=f"Contact {moved.pk}: by its history"):
        call_command("check_routing", "--deep")


def test_what_was_found_is_kept_until_a_check_finds_nothing(desk, moved):
    with pytest.raises(CommandError):
        call_command("check_routing", "--deep")
    assert Upkeep.objects.get().check_findings == 3
    assert conditions.find_inconsistencies() == {("check", ""): {"number": 3}}
    Contact.objects.filter(pk=moved.pk).update(operator=desk.anna)
    Operator.objects.filter(pk=desk.anna.pk).update(current_load=2)
    Operator.objects.filter(pk=desk.boris.pk).update(current_load=0)
    call_command("check_routing", "--deep")
    kept = Upkeep.objects.get()
    assert (kept.checked_at, kept.check_findings) == (timezone.now(), 0)
    assert conditions.find_inconsistencies() == {}


def test_a_contact_on_its_way_out_of_the_queue_is_no_finding(desk, monkeypatch):
    seen = iter([["Contact 1 waits although", "Operator 1 has"], ["Operator 1 has"]])
    monkeypatch.setattr(check_routing, "findings", lambda: next(seen))
    assert check_routing.lasting_findings() == ["Operator 1 has"]
