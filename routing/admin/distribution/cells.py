"""The cells of the matrix of weights as a page, or a file, sends them."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.utils.translation import gettext as _

from core import text
from core.errors import FieldError, Invalid
from core.ids import LARGEST, is_id
from core.spreadsheets import Cell
from operators.models import Operator
from routing.models import WEIGHTS, RosterEntry, Source
from routing.roster_writing import RosterChange

LARGEST_FILE = 2_000_000  # bytes
MOST_CELLS = 20_000
COLUMN = re.compile(r"\[(\d{1,18})\]\s*$")  # the id behind the name of a source
ENCODINGS = ("utf-8-sig", "cp1251")  # Excel in Russia writes the second

Pair = tuple[int, int]  # source id, operator id
Weights = dict[Pair, int | None]  # None: not on the roster


@dataclass(frozen=True, slots=True)
class Edits:
    """Weights as they were typed, and as the page had shown them before, by source and operator."""

    weights: Mapping[Pair, int | None]
    seen: Mapping[Pair, int | None]

    def of_source(self, source_id: int) -> dict[int, int | None]:
        return {operator_id: weight for (source, operator_id), weight in self.weights.items() if source == source_id}

    def rosters(self) -> dict[int, RosterChange]:
        """What they change, by source, for the verb."""
        found = {}
        for source_id in {pair[0] for pair in self.weights}:
            typed = self.of_source(source_id)
            found[source_id] = RosterChange(
                weights={pk: weight for pk, weight in typed.items() if weight is not None},
                leaving=[pk for pk, weight in typed.items() if weight is None],
                seen={pk: self.seen[source_id, pk] for pk in typed},
            )
        return found


def read_edits(sent: str) -> Edits:
    """From JSON, [{"source", "operator", "seen", "weight"}, ...]; texts, empty for no weight. Raises Invalid."""
    try:
        cells = json.loads(sent or "[]")
        pairs = [(read_number(cell["source"]), read_number(cell["operator"])) for cell in cells]
        seen = [read_weight(cell["seen"]) for cell in cells]
    except (ValueError, TypeError, KeyError, RecursionError, Invalid):
        raise Invalid(FieldError("cells", "invalid", _("The page could not be read. Please load it again."))) from None
    if len(pairs) > MOST_CELLS:
        raise Invalid(FieldError("cells", "invalid", _("These are too many cells.")))
    weights = [read_weight(cell.get("weight")) for cell in cells]
    return Edits(dict(zip(pairs, weights, strict=True)), dict(zip(pairs, seen, strict=True)))


def read_number(sent: object) -> int:
    if not is_id(str(sent)) or int(str(sent)) > LARGEST:
        raise ValueError(sent)
    return int(str(sent))


def read_weight(sent: object) -> int | None:
    """None for an empty cell. Raises Invalid."""
    typed = text.trim(str(sent)) if isinstance(sent, str | int) else "?"
    if not typed:
        return None
    weight = int(typed) if is_id(typed) else 0
    if not WEIGHTS[0] <= weight <= WEIGHTS[1]:
        words = _("“%(typed)s” is not a weight: it must be a whole number from 1 to 100, or empty.")
        raise Invalid(FieldError("weight", "invalid", words % {"typed": typed[:20]}))
    return weight


def stored_weights() -> Weights:
    """Of open sources and current operators."""
    entries = RosterEntry.objects.current().values_list("source_id", "operator_id", "weight")
    return {(source_id, operator_id): weight for source_id, operator_id, weight in entries}


def csv_rows(sources: Sequence[Source], operators: Sequence[Operator], weights: Weights) -> list[Sequence[Cell]]:
    """The matrix as a file: a line for each operator, a column for each source, with their ids."""
    head: list[Cell] = ["id", _("Operator"), *(f"{source.name} [{source.pk}]" for source in sources)]
    lines: list[Sequence[Cell]] = [head]
    for operator in operators:
        lines.append([operator.pk, operator.name, *(weights.get((source.pk, operator.pk)) for source in sources)])
    return lines


def read_csv(content: bytes) -> tuple[Weights, list[str]]:
    """The cells of such a file that differ from what is stored, and a sentence for each that cannot be one. Raises
    Invalid for what is no such file at all."""
    lines = read_lines(content)
    columns = {place: int(found[1]) for place, name in enumerate(lines[0]) if (found := COLUMN.search(name))}
    if not columns or text.trim(lines[0][0]).lower() != "id":
        words = _("This is not a file of this page: the first line must name “id”, and sources as “Name [id]”.")
        raise Invalid(FieldError("file", "invalid", words))
    stored, problems = stored_weights(), list[str]()
    sources = set(Source.objects.current().filter(pk__in=columns.values()).values_list("pk", flat=True))
    problems += [
        _("Source %(id)s does not exist.") % {"id": pk} for pk in dict.fromkeys(columns.values()) if pk not in sources
    ]
    operators = set(Operator.objects.current().values_list("pk", flat=True))
    typed: Weights = {}
    for number, line in enumerate(lines[1:], 2):
        if not any(map(text.trim, line)):
            continue
        operator_id = int(line[0]) if is_id(line[0]) else 0
        if operator_id not in operators:
            problems.append(_("Line %(line)s: there is no operator “%(id)s”.") % {"line": number, "id": line[0][:20]})
            continue
        for place, source_id in columns.items():
            try:
                weight = read_weight(line[place] if place < len(line) else "")
            except Invalid as error:
                problems.append(_("Line %(line)s: %(problem)s") % {"line": number, "problem": error.detail})
                continue
            if source_id in sources and stored.get((source_id, operator_id)) != weight:
                typed[source_id, operator_id] = weight
    return typed, problems


def read_lines(content: bytes) -> list[list[str]]:
    """Raises Invalid for what is no table."""
    if len(content) > LARGEST_FILE:
        raise Invalid(FieldError("file", "invalid", _("This file is too large.")))
    written = next((read for encoding in ENCODINGS if (read := decoded(content, encoding)) is not None), "")
    first = written.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        lines: list[list[Any]] = list(csv.reader(StringIO(written), delimiter=delimiter, strict=True))
    except csv.Error as error:
        words = _("This file cannot be read as a table.")
        raise Invalid(FieldError("file", "invalid", words)) from error
    if len(lines) < 2 or not lines[0] or sum(map(len, lines)) > MOST_CELLS:
        raise Invalid(FieldError("file", "invalid", _("This file has no lines with weights, or too many.")))
    return lines


def decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
