"""Two supervisors who import the same holidays at the same moment add each once."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from operators.models import Absence, Operator
from routing import duty_edges, holidays
from tests import characters
from tests.concurrency.threads import Pause, together, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def days() -> list[tuple[date, str]]:
    today = timezone.localdate()
    return [(today + timedelta(days=number), "Holiday") for number in range(1, 6)]


def test_each_day_is_added_once_by_many_imports_at_once():
    team = [characters.operator(name).pk for name in ("Anna", "Boris", "Vera")]
    counts = together(*[lambda: holidays.import_holidays(days=days(), operator_ids=team)] * 4)
    assert Absence.objects.count() == 15
    assert (sum(one.added for one in counts), sum(one.skipped for one in counts)) == (15, 45)


def two_imports(monkeypatch: pytest.MonkeyPatch, verb) -> None:
    """The first pauses after it has looked for other absences of the first day, until the second waits or is done."""
    anna = characters.operator("Anna")
    pause = Pause()
    monkeypatch.setattr(holidays, "is_absent", pause.stops_once(holidays.is_absent))
    verb(pause, lambda: holidays.import_holidays(days=days()[:1], operator_ids=[anna.pk]))


def test_the_second_waits_for_the_first(monkeypatch):
    two_imports(monkeypatch, lambda pause, run: wait_for(pause, run, run))
    assert Absence.objects.count() == 1


def test_without_the_lock_both_would_add_it(monkeypatch):
    """The negative control: the test above can fail."""
    monkeypatch.setattr(duty_edges, "lock_current", lambda operator_id: Operator.objects.get(pk=operator_id))

    def both(pause, run):
        together(run, lambda: (pause.reached.wait(60), run(), pause.go_on.set()))

    two_imports(monkeypatch, both)
    assert Absence.objects.count() == 2
