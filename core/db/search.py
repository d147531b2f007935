"""Case-insensitive search for a part of a text or for words, and the indexes that serve it on PostgreSQL."""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from typing import Any

from django.db import Error, connection, migrations, transaction
from django.db.models import BooleanField, F, Func, Q, Value

log = logging.getLogger(__name__)

NOTHING = Q(pk__in=[])
WORD = re.compile(r"[^\W_]+")

# PostgreSQL's parser keeps addresses, signed numbers and words with hyphens together: these characters part them first.
WORDS = "to_tsvector('simple', translate({}, '-‐‑‒–—−@._/+:<>&''’', '                  '))"


def contains(part: str, field: str) -> Q:
    """Matches texts with this part, in any case of any alphabet.

    LIKE of SQLite folds ASCII only; its REGEXP is Django's, in Python, and folds everything.
    """
    if connection.vendor == "sqlite":
        return Q(**{f"{field}__iregex": re.escape(part)})
    return Q(**{f"{field}__icontains": part})


def contains_words(term: str, field: str = "name") -> Q:
    """Matches texts that contain every word of the term, in any case and order; nothing if the term has no word."""
    words = term.split()
    if not words:
        return NOTHING
    if connection.vendor == "sqlite":
        return matches_all(map(re.escape, words), field)
    return reduce(and_, (contains(word, field) for word in words))


def matches_all(patterns: Iterable[str], field: str) -> Q:
    """One condition, because SQLite refuses an expression of a thousand."""
    return Q(**{f"{field}__iregex": r"\A" + "".join(f"(?=(?s:.*?){pattern})" for pattern in patterns)})


class Matches(Func):
    """Whether the text has the words: `text @@ words`."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def begins_words(term: str, field: str) -> Q:
    """Matches texts in which every word of the term begins a word, in any case and order; nothing if it has no word.

    For long texts, of which an index of words costs a fifth of one of trigrams when a row is stored.
    """
    words = WORD.findall(term)
    if not words:
        return NOTHING
    if connection.vendor == "sqlite":
        return matches_all((rf"(?:\A|[\W_]){word}" for word in words), field)
    asked = Value(" & ".join(f"{word}:*" for word in words))
    text = Func(F(field), template=WORDS.format("%(expressions)s"))
    return Q(Matches(text, Func(asked, template="to_tsquery('simple', %(expressions)s)")))


def index_trigrams(indexes: Mapping[str, str]) -> migrations.RunPython:
    """A migration's operation that creates these indexes for `contains`, from name to definition, on PostgreSQL only.

    Without the right to create the extension pg_trgm the service works, and its searches read all rows.
    Each index must be on an expression that only searches use, such as `upper(name)`: since PostgreSQL 14 an index of
    trigrams also answers `=`, and on a bare column the planner took it for looking up identities, a thousand times
    slower than their unique index.
    """

    def create(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        try:
            with transaction.atomic(schema_editor.connection.alias):
                schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except Error as error:
            log.warning("Searching for a part of a name stays slow, see docs/operations.md: %s", error)
            return
        create_indexes(schema_editor, indexes)

    return migrations.RunPython(create, lambda apps, schema_editor: drop_indexes(schema_editor, indexes))


def index_words(name: str, *, table: str, column: str) -> migrations.RunPython:
    """A migration's operation that creates an index for `begins_words`, on PostgreSQL only."""
    index = {name: f"{table} USING gin ({WORDS.format(column)})"}
    return migrations.RunPython(
        lambda apps, schema_editor: create_indexes(schema_editor, index),
        lambda apps, schema_editor: drop_indexes(schema_editor, index),
    )


def create_indexes(schema_editor: Any, indexes: Mapping[str, str]) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name, definition in indexes.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {definition}")


def drop_indexes(schema_editor: Any, indexes: Mapping[str, str]) -> None:
    """Keeps extensions, which others may use."""
    if schema_editor.connection.vendor == "postgresql":
        for name in indexes:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")
