"""scripts/soak would find what it looks for. The long run itself is started by hand."""

import json
from collections import Counter
from pathlib import Path

import pytest
import soak
from soak_verbs import Fault, Journal


@pytest.fixture
def journal() -> Journal:
    """Of one registration, answered with contact 5."""
    journal = Journal()
    journal.remember("key", {}, 5)
    return journal


def kill(since: float, until: float) -> soak.Kills:
    return soak.Kills(Counter(worker=1), [(since, until)])


@pytest.mark.parametrize("stored", [{5: ("key", False)}, {5: (None, True)}, {5: (None, True), 6: ("key", False)}])
def test_a_contact_with_its_key_or_of_an_erased_person_is_no_finding(
    journal: Journal, stored: dict[int, soak.Stored]
) -> None:
    assert list(soak.check_answered(journal, stored)) == []


@pytest.mark.parametrize(
    ("stored", "finding"),
    [
        ({}, "lost: key key was answered"),
        ({5: ("other", False)}, "key key was answered with contacts {5}"),
        ({5: (None, False)}, "key key was answered with contacts {5}"),
        ({5: ("key", False), 6: ("key", False)}, "twice: key key has 2 contacts"),
    ],
)
def test_a_lost_or_doubled_contact_is_found(journal: Journal, stored: dict[int, soak.Stored], finding: str) -> None:
    [found] = soak.check_answered(journal, stored)
    assert found.startswith(finding)


def test_a_call_that_failed_is_found_unless_a_kill_explains_it() -> None:
    journal = Journal(unanswered=[Fault(begun=10, ended=12, what="POST /contacts: 503")])
    assert list(soak.check_answers(journal, kill(11, 20))) == []
    [found] = soak.check_answers(journal, kill(13, 20))
    assert found.startswith("failed without a kill: ")


def test_an_answer_of_another_kind_is_found_even_around_a_kill() -> None:
    [found] = soak.check_answers(Journal(unexpected=["GET /queue: 500"]), kill(0, 1e10))
    assert found == "unexpected answer: GET /queue: 500"


def test_a_traceback_is_found_unless_a_kill_explains_it(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text(json.dumps({"timestamp": "1970-01-01T00:00:10.000Z", "level": "error", "exception": "ValueError"}))
    assert list(soak.check_log(log, kill(5, 15))) == []
    [found] = soak.check_log(log, kill(15, 25))
    assert "ValueError" in found
