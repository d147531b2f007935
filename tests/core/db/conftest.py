import pytest

from core.db.postgresql.conversation import Conversation


@pytest.fixture
def turns(monkeypatch):
    """How many statements went to the database at once, the commit counted as one."""
    exchange, seen = Conversation.exchange, []

    def count(self, questions, *, commit):
        seen.append(len(questions) + commit)
        exchange(self, questions, commit=commit)

    monkeypatch.setattr(Conversation, "exchange", count)
    return seen
