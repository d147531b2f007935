"""Every question is answered once, whatever happens to its workers."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.errors import Conflict
from routing.models import WhatIf
from routing.what_if import questions, runs
from routing.what_if.answers import reason_text
from routing.what_if.past import read_past
from routing.what_if.prediction import Changes
from routing.what_if.questions import Answer
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot():
    """A source of two operators, with 30 contacts of just now."""
    people = [characters.operator("Anna", limit=100), characters.operator("Boris", limit=100)]
    source = characters.source(roster=dict.fromkeys(people, 10))
    for _ in range(30):
        characters.contact(source)
    return source


def ask(source, **changes):
    now = timezone.now()
    asked = Changes(**{"weights": {}, "limits": {}} | changes)
    return runs.ask(source_id=source.pk, since=now - timedelta(days=1), until=now, changes=asked, by="test")


def taken():
    run = runs.take_next()
    assert run is not None
    return run


def stored(run):
    run.refresh_from_db()
    return run


def test_what_is_asked_is_answered(bot):
    anna, boris = bot.roster.order_by("pk").values_list("operator_id", flat=True)
    run = ask(bot, weights={anna: 90})
    assert runs.somebody_waits()
    assert runs.work_off() == 1
    assert not runs.somebody_waits()
    run = stored(run)
    assert (run.status, run.reason) == ("done", None)
    before, after = ({one["operator_id"]: one["share"] for one in its["operators"]} for its in (run.before, run.after))
    assert before[anna] == pytest.approx(0.5, abs=0.05)
    assert after[anna] == pytest.approx(0.9, abs=0.05)
    assert after[boris] == pytest.approx(0.1, abs=0.05)
    assert {"waiting_p50", "waiting_p90", "longest_queue"} <= run.after.keys()
    assert [one["hour"] for one in run.after["queue_by_hour"]] == list(range(24))


def test_a_run_is_taken_by_one_worker(bot):
    run = ask(bot)
    assert runs.take_next() == run
    assert runs.take_next() is None
    assert runs.work_off() == 0


def test_a_run_whose_worker_died_is_started_again(bot, time_machine):
    run = ask(bot)
    runs.take_next()
    time_machine.move_to(timezone.now() + runs.LEASE + timedelta(seconds=1))
    assert runs.work_off() == 1
    assert stored(run).status == "done"


def test_one_that_kills_its_workers_is_given_up(bot, time_machine):
    run = ask(bot)
    for _ in range(runs.ATTEMPTS):
        assert runs.take_next() == run
        time_machine.move_to(timezone.now() + runs.LEASE + timedelta(seconds=1))
    assert runs.take_next() is None
    assert (stored(run).status, run.reason) == ("refused", {"code": "failed"})


def test_a_worker_that_comes_too_late_changes_nothing(bot, time_machine):
    ask(bot)
    slow = taken()
    time_machine.move_to(timezone.now() + runs.LEASE + timedelta(seconds=1))
    assert runs.work_off() == 1
    runs.finish(slow, Answer(refusal={"code": "failed"}))
    assert stored(slow).status == "done"


def test_a_cancelled_run_stops_and_stays_so(bot, monkeypatch):
    run = ask(bot)
    monkeypatch.setattr(runs, "PROLONGED_AFTER", 0.0)
    monkeypatch.setattr("routing.what_if.questions.read_past", cancelling(run, read_past))
    assert runs.work_off() == 1
    assert (stored(run).status, run.before) == ("refused", None)
    assert reason_text(run) == "It was cancelled."


def cancelling(run, call):
    def cancel_first(**arguments):
        runs.cancel(run_id=run.pk)
        return call(**arguments)

    return cancel_first


def test_what_has_ended_cannot_be_cancelled(bot):
    run = ask(bot)
    runs.work_off()
    assert runs.cancel(run_id=run.pk).status == "done"


def test_a_worker_that_is_busy_keeps_its_run(bot, time_machine):
    ask(bot)
    run = taken()
    keeping = runs.Prolonging(run)
    keeping.done_at -= runs.PROLONGED_AFTER
    time_machine.move_to(timezone.now() + runs.LEASE - timedelta(seconds=1))
    keeping()
    time_machine.move_to(timezone.now() + timedelta(seconds=10))
    assert runs.take_next() is None


def test_one_failure_does_not_stop_the_others(bot, monkeypatch):
    broken, whole = ask(bot), ask(bot)
    WhatIf.objects.filter(pk=broken.pk).update(asked={"changes": {}})
    assert runs.work_off() == 2
    assert (stored(broken).status, stored(whole).status) == ("refused", "done")
    assert reason_text(broken) == "It could not be computed. The log says why."


def test_more_than_can_be_answered_is_refused(bot, monkeypatch):
    monkeypatch.setattr(runs, "MOST_RUNNING", 1)
    ask(bot)
    with pytest.raises(Conflict, match="Too many what-ifs"):
        ask(bot)


def test_too_many_contacts_are_refused(bot, monkeypatch):
    monkeypatch.setattr(questions, "MOST_CONTACTS", 29)
    run = ask(bot)
    runs.work_off()
    assert reason_text(stored(run)) == "30 contacts came in this period; at most 29 can be replayed."


def test_what_differs_is_named(bot):
    anna = bot.roster.earliest("pk").operator
    run = WhatIf(
        reason={
            "code": "not_reproduced",
            "differences": [
                {"of": "waiting_p90", "was": 500.0, "low": 10.0, "high": 20.4},
                {"of": anna.pk, "was": 0.5, "low": 0.301, "high": 0.4},
            ],
        }
    )
    assert reason_text(run) == (
        "The replay with what was set then does not give what really happened, so nothing is predicted. "
        "Anna got 50.0% of the contacts, in the replay 30.1 to 40.0%. "
        "9 of 10 contacts waited at most 500 seconds, in the replay 10 to 20."
    )


def test_old_runs_are_pruned(bot, time_machine, settings, capsys):
    ask(bot)
    time_machine.move_to(timezone.now() + timedelta(days=settings.EVENTS_DAYS + 1))
    young = ask(bot)
    call_command("prune", dry_run=True)
    assert "1 what-ifs older than" in capsys.readouterr().out
    call_command("prune")
    assert list(WhatIf.objects.all()) == [young]


def test_the_command_answers_what_was_asked(bot, capsys, monkeypatch):
    monkeypatch.setattr("os.nice", lambda by: None)  # of this process, which goes on
    run = ask(bot)
    call_command("what_if", work=True)
    assert capsys.readouterr().out == "1 what-ifs answered.\n"
    assert stored(run).status == "done"


def test_the_command_answers_at_the_terminal(bot, capsys):
    anna = bot.roster.earliest("pk").operator
    call_command("what_if", str(bot.pk), "--days", "1", "--weight", f"{anna.pk}=90", "--limit", f"{anna.pk}=50")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["before", "after"]
    assert printed[1].startswith(f"Anna ({anna.pk})  ")
    assert "%" in printed[1]
    assert not WhatIf.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name the id of a source"),
        (["99999"], "Source 99999 does not exist."),
        (["{bot}", "--weight", "99999=5"], "Operator 99999 does not exist."),
        (["{bot}", "--weight", "{anna}=0"], "from 1 to 100"),
        (["{bot}", "--weight", "many"], "invalid pair value"),
        (["{bot}", "--from", "yesterday"], "invalid moment value"),
        (["{bot}", "--to", "2999-01-01T00:00Z"], "must not end in the future"),
        (["{bot}", "--days", "0"], "must begin before it ends"),
        (["{bot}", "--days", "93"], "not be longer than 92 days"),
        (["{bot}", "--from", "2020-01-01T00:00Z", "--to", "2020-01-02T00:00Z"], "nothing can be replayed"),
    ],
)
def test_the_command_refuses_what_cannot_be(bot, arguments, said):
    names = {"bot": bot.pk, "anna": bot.roster.earliest("pk").operator_id}
    with pytest.raises(CommandError, match=said):
        call_command("what_if", *(one.format(**names) for one in arguments))
