"""What `route_waiting` and `prune` say of themselves: to whoever types them, and in rounds to whoever watches."""

import signal
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, OperationalError

from leads import idempotency
from leads.management.commands import check_routing
from operators.models import Operator
from routing import bookkeeping, queue
from routing.models import Upkeep
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+79995550123"


@pytest.fixture(autouse=True)
def handlers():
    """The commands take these over for the rest of their process, which is ours here."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def sweeps(monkeypatch):
    """Lets each round of the queue come to this, and stops with the last."""

    def come_to(*outcomes):
        left = list(outcomes)

        def sweep():
            outcome = left.pop(0)
            if not left:
                signal.raise_signal(signal.SIGTERM)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(queue, "sweep_queue", sweep)

    return come_to


def test_each_round_is_a_line_of_the_log(sweeps, lines, capsys):
    sweeps(2, 0)
    call_command("route_waiting", "--loop", "0")
    assert [line["event"] for line in lines()] == ["2 assigned, 0 hours tallied", "0 assigned, 0 hours tallied"]
    assert {line["logger"] for line in lines()} == {"routing.management.commands.route_waiting"}
    assert capsys.readouterr().out == ""


def test_a_database_that_is_away_is_a_warning_and_the_next_round_goes_on(sweeps, lines):
    sweeps(OperationalError(f"no route to host\nDETAIL: {PHONE}"), 1)
    call_command("route_waiting", "--loop", "0")
    assert [line["level"] for line in lines()] == ["warning", "info"]
    assert lines()[0]["exception"].endswith("OperationalError: no route to host")


@pytest.mark.parametrize("fault", [IntegrityError(f"Key (phone)=({PHONE})"), ValueError(PHONE)])
def test_a_fault_is_an_error_that_quotes_nobody_and_the_next_round_goes_on(sweeps, lines, log, fault):
    """Errors are what Sentry is told."""
    sweeps(fault, 1)
    call_command("route_waiting", "--loop", "0")
    assert [line["level"] for line in lines()] == ["error", "info"]
    assert PHONE not in log.getvalue()


def test_who_types_a_command_reads_what_it_did(lines, capsys):
    call_command("route_waiting")
    assert capsys.readouterr().out == "0 assigned, 0 hours tallied\n"
    assert lines() == []


def test_where_the_log_is_for_programs_a_command_speaks_there(lines, capsys, settings):
    settings.LOG_FORMAT = "json"
    call_command("prune")
    assert lines()[-1]["event"].startswith("Deleted 0 idempotency keys older than 30 days")
    assert capsys.readouterr().out == ""


def test_a_command_that_fails_says_so_with_its_exit_code(monkeypatch, lines, log):
    def broken(**_):
        raise IntegrityError(PHONE)

    monkeypatch.setattr(idempotency, "forget_old_keys", broken)
    with pytest.raises(SystemExit) as ended:
        call_command("prune")
    assert (ended.value.code, lines()[-1]["level"]) == (1, "error")
    assert PHONE not in log.getvalue()
    assert not Upkeep.objects.filter(pruned_at__isnull=False).exists()


def test_pruning_in_rounds_goes_on_until_it_is_stopped(monkeypatch, lines):
    def stopping(**_):
        signal.raise_signal(signal.SIGTERM)
        return 3

    monkeypatch.setattr(idempotency, "forget_old_keys", stopping)
    call_command("prune", "--loop", "3600")
    assert [line["event"][:27] for line in lines()] == ["Deleted 3 idempotency keys "]


def test_a_loop_does_not_wait_for_a_commit_for_good(monkeypatch, lines):
    monkeypatch.setitem(settings.DATABASES["default"], "COMMIT_TIMEOUT", 0)
    monkeypatch.setattr(idempotency, "forget_old_keys", lambda **_: signal.raise_signal(signal.SIGTERM))
    call_command("prune", "--loop", "3600")
    assert settings.DATABASES["default"]["COMMIT_TIMEOUT"] == settings.DATABASE_COMMIT_TIMEOUT > 0


@pytest.fixture
def drifted():
    return characters.operator("Anna (night) Kim", current_load=3)


def test_the_nightly_check_logs_each_finding_as_an_error_without_names(drifted, monkeypatch, lines, log):
    monkeypatch.setattr(check_routing, "SETTLE", 0)
    monkeypatch.setattr(bookkeeping, "note_moments", lambda **_: signal.raise_signal(signal.SIGTERM))
    call_command("check_routing", "--deep", "--loop", "86400")
    said = [(line["level"], line["event"]) for line in lines()]
    text = f"The check has found: Operator {drifted.pk} has a load of 3, but 0 open contacts"
    assert said == [
        ("error", f"{text}."),
        ("error", f"{text} by the history."),
        ("info", "The check has found 2 differences."),
    ]
    assert "Kim" not in log.getvalue()


def test_the_nightly_check_stops_in_the_middle_when_the_process_is_to_end(monkeypatch, lines):
    characters.contact(characters.source())
    monkeypatch.setattr(check_routing, "findings", partial(signal.raise_signal, signal.SIGTERM))
    call_command("check_routing", "--deep", "--loop", "86400")
    assert [line["event"] for line in lines()] == ["Stopped before the end of the check."]
    assert not Upkeep.objects.filter(checked_at__isnull=False).exists()


def test_the_nightly_check_ends_with_an_exit_code_where_the_log_is_for_programs(drifted, monkeypatch, lines, settings):
    settings.LOG_FORMAT = "json"
    monkeypatch.setattr(check_routing, "SETTLE", 0)
    with pytest.raises(SystemExit) as ended:
        call_command("check_routing", "--deep")
    assert (ended.value.code, lines()[-1]["event"]) == (1, "The check has found 2 differences.")
    Operator.objects.update(current_load=0)
    call_command("check_routing", "--deep")
    assert lines()[-1]["event"] == check_routing.AGREE
