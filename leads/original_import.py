"""Moves in the data of the original service: ids stay, loads follow from open contacts, and nothing is lost.

One transaction moves everything or nothing. Running it again adds what the original service has got since; rows that
are here already stay as they are. A row is here already if one with its id was created at the same moment.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry, text
from core.db.bulk import analyze_tables, lock_tables, move_sequences, store_as_given
from core.errors import Conflict
from leads import lead_lookup, original_changes, validation
from leads.models import Identity, Lead
from leads.original_leads import People
from leads.original_rows import (
    TABLES,
    ContactRow,
    LeadRow,
    Note,
    OperatorRow,
    Original,
    Report,
    Row,
    RowWithId,
    SourceRow,
    WeightRow,
)
from leads.warnings import Warned, stored_warnings
from operators.models import LIMITS, Operator
from routing import history, queue
from routing.history import What
from routing.invariants import mend_load
from routing.models import WEIGHTS, Contact, ContactEvent, RosterEntry, Source, UnreadablePhones

TOGETHER = 1_000  # rows read and written in one step
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500

LOCKED = (Identity, Lead, Source, Operator, Contact)  # in the order in which registrations lock
WITH_IDS = (Operator, Source, Lead, Contact)

# Called with the number of rows that were just read. If the transaction starts again, first with the negative sum.
Progress = Callable[[int], Any]


def import_original(*, original: Original, progress: Progress) -> Report:
    """Moves in all rows that are not here yet, then assigns waiting contacts for whom somebody is free.

    Raises Conflict `occupied` when the database has other data, or another row with the id of one that is to be moved;
    nothing has changed then. Other writers wait meanwhile.
    """
    read = RowsRead(progress)
    for attempt in retry.attempts():
        with attempt:
            read.take_back()
            report = Move(original, read).run()
            move_sequences(WITH_IDS)
    queue.sweep_queue()
    return report


def rehearse(*, original: Original, progress: Progress) -> Report:
    """Returns or raises what `import_original` would. Changes nothing."""
    read = RowsRead(progress)
    for attempt in retry.attempts():
        with attempt:
            read.take_back()
            report = Move(original, read).run()
            transaction.set_rollback(True)
    return report


class RowsRead:
    """Reports progress, and takes it back when the transaction starts again."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.number = progress, 0

    def __call__(self, number: int) -> None:
        self.number += number
        self.progress(number)

    def take_back(self) -> None:
        if self.number:
            self.progress(-self.number)
        self.number = 0


class Move:
    """One run, inside the caller's transaction."""

    def __init__(self, original: Original, progress: Progress) -> None:
        self.original, self.progress = original, progress
        self.now = timezone.now()
        self.report = Report()
        self.people = People(self.report)
        self.gained: set[int] = set()  # operators who get open contacts

    def run(self) -> Report:
        lock_tables(LOCKED)
        is_empty = not any(model._default_manager.exists() for model in WITH_IDS)
        new_operators = self.move_operators()
        new_sources = self.move_sources()
        if not is_empty and self.report.moved.total() and not self.report.known.total():
            raise occupied()
        self.operators = set(Operator.objects.values_list("pk", flat=True))
        self.current_operators = set(Operator.objects.current().values_list("pk", flat=True))
        self.sources = set(Source.objects.values_list("pk", flat=True))
        self.move_weights(new_operators, new_sources)
        for place, leads in enumerate(self.unknown(LeadRow, Lead)):
            self.people.store_leads(leads)
            if place == 0:
                analyze_tables([Lead, Identity])  # else looking for their owners would read all identities
        for contacts in self.unknown(ContactRow, Contact):
            self.store_contacts(contacts)
        analyze_tables([Lead, Identity, Contact, ContactEvent])
        self.people.finish()
        self.count_loads()
        return self.report

    def unknown(self, kind: type[RowWithId], model: type[Model]) -> Iterator[list[RowWithId]]:
        """The rows that are not here yet, some at a time."""
        for rows in slices(self.original.read(kind)):
            found = model._default_manager.filter(pk__in=[row.id for row in rows])
            here: dict[int, datetime] = dict(found.values_list("pk", "created_at"))
            if any(here.get(row.id, row.created_at) != row.created_at for row in rows):
                raise occupied()
            new = [row for row in rows if row.id not in here]
            self.report.moved[TABLES[kind]] += len(new)
            self.report.known[TABLES[kind]] += len(here)
            self.progress(len(rows))
            yield new

    def move_operators(self) -> set[int]:
        """Returns the ids of those that are new."""
        rows = list(chain.from_iterable(self.unknown(OperatorRow, Operator)))
        operators = [self.operator_of(row) for row in rows]
        store_as_given(operators)
        original_changes.record_operators(operators)
        return {row.id for row in rows}

    def operator_of(self, row: OperatorRow) -> Operator:
        name = name_of(row) or _("Operator %(id)s") % {"id": row.id}
        if name != text.trim(row.name):
            self.report.notes[Note.OPERATOR_RENAMED].append(row.id)
        return Operator(
            pk=row.id,
            name=name,
            is_active=row.is_active,
            max_load=self.within(LIMITS, row.max_load, Note.LIMIT_CHANGED, row.id),
            limit_set_at=self.now,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def move_sources(self) -> set[int]:
        """Returns the ids of those that are new."""
        rows = list(chain.from_iterable(self.unknown(SourceRow, Source)))
        taken = set(Source.objects.current().values_list("name", flat=True))
        sources = [self.source_of(row, taken) for row in rows]
        store_as_given(sources)
        original_changes.record_sources(sources)
        return {row.id for row in rows}

    def source_of(self, row: SourceRow, taken: set[str]) -> Source:
        """Of two sources with one name, the later gets its id added."""
        name = name_of(row) or _("Source %(id)s") % {"id": row.id}
        if name in taken:
            name = f"{name[: LONGEST_NAME - 20]} ({row.id})"
        if name != text.trim(row.name):
            self.report.notes[Note.SOURCE_RENAMED].append(row.id)
        taken.add(name)
        return Source(
            pk=row.id,
            name=name,
            description=row.description and text.replace_unstorable(row.description)[:LONGEST_DESCRIPTION],
            unreadable_phones=UnreadablePhones.KEEP,  # so that its bots may go on sending any text
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def move_weights(self, new_operators: set[int], new_sources: set[int]) -> None:
        """Only those of new operators and sources: the others may have been changed here since."""
        entries = []
        for row in self.original.read(WeightRow):
            self.progress(1)
            if row.operator_id not in new_operators and row.source_id not in new_sources:
                self.report.known[TABLES[WeightRow]] += 1
            elif row.operator_id not in self.operators or row.source_id not in self.sources:
                self.report.notes[Note.WEIGHT_LEFT_OUT].append(row.source_id)
            else:
                weight = self.within(WEIGHTS, row.weight, Note.WEIGHT_CHANGED, row.source_id)
                entries.append(RosterEntry(source_id=row.source_id, operator_id=row.operator_id, weight=weight))
        RosterEntry.objects.bulk_create(entries)
        original_changes.record_weights(entries)
        self.report.moved[TABLES[WeightRow]] += len(entries)

    def within(self, bounds: tuple[int, int], number: int, note: Note, pk: int) -> int:
        low, high = bounds
        if not low <= number <= high:
            self.report.notes[note].append(pk)
        return min(max(number, low), high)

    def store_contacts(self, rows: Sequence[ContactRow]) -> None:
        self.make_up_sources(rows)
        leads = self.leads_of(rows)
        contacts = [self.contact_of(row, leads[row.lead_id]) for row in rows]
        store_as_given(contacts)
        store_as_given([event for contact in contacts for event in events_of(contact)])

    def contact_of(self, row: ContactRow, lead: Lead) -> Contact:
        """`lead` is the survivor of a lead that was merged here."""
        is_assigned = row.operator_id in (self.operators if row.is_resolved else self.current_operators)
        operator_id = row.operator_id if is_assigned else None
        if not row.is_resolved and row.operator_id != operator_id:
            self.report.notes[Note.WITHOUT_OPERATOR].append(row.id)
        if operator_id and not row.is_resolved:
            self.gained.add(operator_id)
        warned: list[Warned] = []
        message = validation.read_message(row.message, warned)
        if warned:
            self.report.notes[Note.MESSAGE_CHANGED].append(row.id)
        return Contact(
            pk=row.id,
            lead_id=lead.pk,
            source_id=row.source_id,
            operator_id=operator_id,
            message=None if lead.erased_at else message,
            warnings=stored_warnings(warned),
            waiting_reason=None if operator_id or row.is_resolved else Contact.Waiting.NONE_AVAILABLE.value,
            assigned_at=min(row.created_at, self.now) if operator_id else None,
            resolved_at=row.updated_at if row.is_resolved else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def make_up_sources(self, rows: Sequence[ContactRow]) -> None:
        """Sources that were deleted without their contacts, which SQLite allowed."""
        missing = first_moments((row.source_id, row.created_at) for row in rows if row.source_id not in self.sources)
        store_as_given(
            [
                Source(
                    pk=pk,
                    name=_("Source %(id)s") % {"id": pk},
                    archived_at=self.now,
                    created_at=at,
                    updated_at=self.now,
                )
                for pk, at in missing.items()
            ]
        )
        self.sources |= missing.keys()
        self.report.notes[Note.SOURCE_MADE_UP] += missing

    def leads_of(self, rows: Sequence[ContactRow]) -> dict[int, Lead]:
        """By the ids in these rows: the leads, or the survivors of leads that were merged here."""
        leads = Lead.objects.in_bulk({row.lead_id for row in rows})
        missing = first_moments((row.lead_id, row.created_at) for row in rows if row.lead_id not in leads)
        made_up = [Lead(pk=pk, created_at=at, updated_at=at) for pk, at in missing.items()]
        store_as_given(made_up)
        self.report.notes[Note.LEAD_MADE_UP] += missing
        leads |= {lead.pk: lead for lead in made_up}
        return {pk: lead_lookup.find_lead(pk) if lead.merged_into_id else lead for pk, lead in leads.items()}

    def count_loads(self) -> None:
        """Nobody was assigned more than the limit by the rule of this service: the limits count from now."""
        for operator_id in sorted(self.gained):
            mend_load(operator_id)
        gained = Operator.objects.filter(pk__in=self.gained)
        gained.update(limit_set_at=self.now)
        above = gained.filter(current_load__gt=F("max_load")).order_by("pk")
        self.report.notes[Note.ABOVE_LIMIT] += above.values_list("pk", flat=True)


def events_of(contact: Contact) -> list[ContactEvent]:
    """The history of a contact that was moved in. How its operator was chosen is not known."""
    events = [(contact.created_at, history.event_of(contact, What.REGISTERED, history.ORIGINAL))]
    if contact.resolved_at:
        giver = contact.operator_id
        resolved = history.event_of(contact, What.RESOLVED, history.ORIGINAL, from_operator=giver)
        events.append((contact.resolved_at, resolved))
    return [ContactEvent(at=moment, **event.values) for moment, event in events]


def name_of(row: OperatorRow | SourceRow) -> str:
    return text.trim(text.replace_unstorable(row.name))[:LONGEST_NAME]


def first_moments(found: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    moments: dict[int, datetime] = {}
    for pk, at in found:
        moments[pk] = min(at, moments.get(pk, at))
    return moments


def slices(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while some := list(islice(rows, TOGETHER)):
        yield some


def occupied() -> Conflict:
    detail = _(
        "This database has other operators, sources, leads or contacts than the original service. Move it into an "
        "empty database, before anything else is registered."
    )
    return Conflict("occupied", detail)
