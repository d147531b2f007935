"""Each decision in docs/adr/ has a number, a status and a date, and is short."""

import re
from datetime import date

import pytest

from tests.docs import documents

DECISIONS = sorted((documents.DOCS / "adr").glob("*.md"))
STATUSES = r"Accepted|Proposed|Superseded by \d+"

pytestmark = pytest.mark.once
each_decision = pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.name)


@each_decision
def test_it_has_its_number_a_status_and_a_date(file):
    text = file.read_text()
    head = re.match(rf"# (\d+)\. .+\n\n- Status: (?:{STATUSES})\n- Date: (.+)\n\n## Context\n", text)
    assert head
    assert int(head[1]) == int(file.name[:4])
    assert date.fromisoformat(head[2]) <= date.today()


@each_decision
def test_it_is_short(file):
    assert len(file.read_text().splitlines()) <= 60


def test_numbers_are_given_once():
    numbers = [file.name[:4] for file in DECISIONS]
    assert len(numbers) == len(set(numbers))
