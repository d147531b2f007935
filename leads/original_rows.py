"""What the database of the original service holds, and what is reported about moving it in."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar


class OperatorRow(NamedTuple):
    id: int
    name: str
    is_active: bool
    max_load: int
    created_at: datetime
    updated_at: datetime


class SourceRow(NamedTuple):
    id: int
    name: str
    description: str | None
    created_at: datetime
    updated_at: datetime


class WeightRow(NamedTuple):
    source_id: int
    operator_id: int
    weight: int


class LeadRow(NamedTuple):
    id: int
    phone: str | None  # any text
    email: str | None
    name: str | None
    created_at: datetime
    updated_at: datetime


class ContactRow(NamedTuple):
    id: int
    lead_id: int
    source_id: int
    operator_id: int | None
    message: str | None
    is_resolved: bool
    created_at: datetime
    updated_at: datetime


TABLES = {  # in the order in which they refer to one another
    OperatorRow: "operators",
    SourceRow: "sources",
    WeightRow: "source_operator_weights",
    LeadRow: "leads",
    ContactRow: "contacts",
}

Row = TypeVar("Row", OperatorRow, SourceRow, WeightRow, LeadRow, ContactRow)
RowWithId = TypeVar("RowWithId", OperatorRow, SourceRow, LeadRow, ContactRow)


class Original(Protocol):
    """The database of the original service as it is at one moment."""

    def read(self, kind: type[Row]) -> Iterator[Row]:
        """All rows of this kind, by id. Moments have a time zone."""


class Note(Enum):
    """What was not moved as it stood. The sentence is followed by ids."""

    ABOVE_LIMIT = "Operators with more open contacts than their limit, which keep them"
    LIMIT_CHANGED = "Operators whose limit was not from 1 to 100: set to the nearest"
    OPERATOR_RENAMED = "Operators whose name was blank, or longer than 100 characters"
    SOURCE_RENAMED = "Sources that got another name: theirs was blank, too long, or the name of another source"
    WEIGHT_CHANGED = "Sources with weights that were not from 1 to 100: set to the nearest"
    WEIGHT_LEFT_OUT = "Sources with weights of operators that do not exist: left out"
    SOURCE_MADE_UP = "Sources that do not exist any more, but have contacts: created in the archive"
    LEAD_MADE_UP = "Leads that do not exist any more, but have contacts: created without name and identities"
    BECAME_EXTERNAL = "Leads whose phone or e-mail cannot be one: the text became an id in the channel"
    NOT_RECOGNISABLE = (
        "Leads without phone and e-mail, or with the name of a missing value, such as null, in their place"
    )
    MERGED = "Leads with a phone or e-mail that another lead has in another spelling: merged, which can be undone"
    NAME_SHORTENED = "Leads whose name was longer than 255 characters: cut"
    WITHOUT_OPERATOR = "Open contacts of operators that do not exist, or are in the archive here: back in the queue"
    MESSAGE_CHANGED = "Contacts whose message was too long, or had characters that cannot be stored"


@dataclass(slots=True)
class Report:
    """How many rows were moved, and how many were here before, by table; and ids by what is worth knowing."""

    moved: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    notes: dict[Note, list[int]] = field(default_factory=lambda: defaultdict(list))
