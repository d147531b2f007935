"""Changes of sources and their rosters, with their effect on waiting contacts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import retry
from core.changes.recording import SERVICE, Author, record_change, values_of
from core.errors import Conflict, FieldError, Invalid, Unknown, raise_if_overtaken
from operators.load import lock_operators
from routing import due_moments, queue
from routing.models import Contact, RosterEntry, Source
from routing.roster_writing import RosterChange, write_roster

OPEN, ARCHIVED = {"archived": False}, {"archived": True}


def change_source(
    *,
    source_id: int,
    changes: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
    author: Author = SERVICE,
) -> Source:
    """Sets any of `name`, `description`, the settings for phones, of the strategy and of time-outs.

    `seen`: the values that the caller wants to change. Raises Unknown, or Conflict: `name_taken`, or
    `changed_meanwhile` if one of `seen` is not the stored one.
    """
    for attempt in retry.attempts():
        with attempt:
            source = lock_source(source_id)
            raise_if_overtaken(source, seen)
            before = values_of(source, changes)
            for field, value in changes.items():
                setattr(source, field, value)
            if changes:
                save_named(source, [*changes, "updated_at"])
            if changes.get("accept_within", 0) is None:
                due_moments.clear_moments(source_id)  # another limit is for later offers only
            record_change("source.changed", author, before=before, after=changes, source_id=source_id)
    return source


def create_source(*, author: Author = SERVICE, **fields: Any) -> Source:
    """Creates a source, with nobody on its roster. Raises Conflict `name_taken`."""
    for attempt in retry.attempts():
        with attempt:
            source = Source(**fields)
            save_named(source, None)
            record_creation(source, author)
    return source


def record_creation(source: Source, author: Author) -> None:
    """With everything about the source that can be set."""
    fields = (field for field in Source._meta.concrete_fields if field.editable and not field.primary_key)
    after = values_of(source, [field.attname for field in fields])
    record_change("source.created", author, before={}, after=after, source_id=source.pk)


def archive_source(*, source_id: int, author: Author = SERVICE) -> None:
    """Closes the source: registrations are refused, contacts stay readable, a supervisor handles the waiting ones."""
    for attempt in retry.attempts():
        with attempt:
            source = lock_source(source_id)
            lock_operators(RosterEntry.objects.filter(source=source_id).values_list("operator_id", flat=True))
            source.archived_at = timezone.now()
            source.save(update_fields=["archived_at", "updated_at"])
            record_change("source.archived", author, before=OPEN, after=ARCHIVED, source_id=source_id)
            waiting = Contact.objects.waiting().filter(source_id=source_id)
            queue.set_waiting_reason(
                waiting.exclude(waiting_reason=Contact.Waiting.RETURNED), Contact.Waiting.SOURCE_CLOSED
            )


def restore_source(*, source_id: int, author: Author = SERVICE) -> Source:
    """Opens a closed source again. Opening an open one changes nothing.

    Raises Unknown, or Conflict `name_taken` if another source has its name now.
    """
    for attempt in retry.attempts():
        with attempt:
            source = lock_source(source_id, Source.objects.all())
            was_closed = source.archived_at is not None
            if was_closed:
                source.archived_at = None
                save_named(source, ["archived_at", "updated_at"])
                record_change("source.restored", author, before=ARCHIVED, after=OPEN, source_id=source_id)
    if was_closed:
        queue.sources_changed([source_id])
    return source


def set_weight(*, source_id: int, operator_id: int, weight: int, author: Author = SERVICE) -> RosterEntry:
    """Adds the operator to the source's roster, or changes its weight there. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            write_roster(source_id, RosterChange({operator_id: weight}), author)
            entry = RosterEntry.objects.get(source=source_id, operator=operator_id)
    queue.sources_changed([source_id])
    return entry


def replace_roster(
    *, source_id: int, weights: Sequence[Mapping[str, int]], author: Author = SERVICE
) -> list[RosterEntry]:
    """Replaces the whole roster with these `operator_id` and `weight` pairs, atomically. Raises Unknown or Invalid.

    Archived operators lose their entry too, also for the case that they are restored.
    """
    wanted = {row["operator_id"]: row["weight"] for row in weights}
    if len(wanted) < len(weights):
        raise Invalid(FieldError("operator_id", "repeated", gettext("An operator can be on a roster only once.")))

    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            roster = RosterEntry.objects.filter(source_id=source_id)
            leaving = roster.exclude(operator__in=wanted).values_list("operator_id", flat=True)
            write_roster(source_id, RosterChange(wanted, list(leaving)), author)
            entries = list(roster.order_by("operator_id"))
    queue.sources_changed([source_id])
    return entries


def change_roster(
    *,
    source_id: int,
    weights: Mapping[int, int],
    leaving: Collection[int] = (),
    seen: Mapping[int, int | None] | None = None,
    author: Author = SERVICE,
) -> None:
    """Sets these weights by operator id and removes the leaving operators, or changes nothing. Raises Unknown.

    Other entries keep concurrent changes. A leaving operator who is not on the roster is ignored. `seen`: the weights
    that the caller wants to change, by operator id, None for one to add; raises Overtaken if one of them is not the
    stored one.
    """
    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            write_roster(source_id, RosterChange(weights, leaving, seen), author)
    queue.sources_changed([source_id])


def change_rosters(*, rosters: Mapping[int, RosterChange], author: Author = SERVICE) -> None:
    """`change_roster` for several sources, by their ids, in one transaction: all of it, or nothing.

    Each source gets a record of its own, with the same reason. Raises Unknown or Overtaken.
    """
    for attempt in retry.attempts():
        with attempt:
            for source_id in sorted(rosters):
                lock_source(source_id)
            # All of them first, in key order: what each roster locks by itself might come after another's.
            lock_operators({pk for change in rosters.values() for pk in (*change.weights, *change.leaving)})
            for source_id, change in sorted(rosters.items()):
                write_roster(source_id, change, author)
    queue.sources_changed(list(rosters))


def remove_from_roster(*, source_id: int, operator_id: int, author: Author = SERVICE) -> None:
    """Removes the operator from the roster: it gets no new contacts of this source, keeps its own. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            if not RosterEntry.objects.current().filter(source=source_id, operator=operator_id).exists():
                raise Unknown("operator on this roster", operator_id)
            write_roster(source_id, RosterChange({}, [operator_id]), author)
    queue.sources_changed([source_id])


def lock_source(source_id: int, among: QuerySet[Source] | None = None) -> Source:
    """Locks the source, by default if it is open: other changes of it or of its roster wait; routing does not."""
    sources = Source.objects.current() if among is None else among
    source = sources.select_for_update(no_key=True).filter(pk=source_id).first()
    if source is None:
        raise Unknown("source", source_id)
    return source


def require_source(source_id: int) -> None:
    if not Source.objects.current().filter(pk=source_id).exists():
        raise Unknown("source", source_id)


def save_named(source: Source, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=fields)
    except IntegrityError as error:
        if not Source.objects.current().filter(name=source.name).exclude(pk=source.pk).exists():
            raise
        detail = gettext("Source “%(name)s” already exists.") % {"name": source.name}
        raise Conflict("name_taken", detail, (FieldError("name", "name_taken", detail),)) from error
