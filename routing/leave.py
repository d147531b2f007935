"""Leave of an operator: what would happen to its contacts and sources, the leave itself, and taking it back.

A leave is an absence (`duty_edges`). What its hand-over has moved is kept in `Absence.moved`, by which the undo gives
contacts back as far as they have not moved on since.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.changes.recording import Author
from core.db.writes import make_changes, store_many
from core.errors import Conflict, FieldError, Invalid, Unknown
from operators.duty_plan import without
from operators.load import add_place, lock_operators, save_loads
from operators.models import Absence, Operator
from operators.weekly import Interval
from routing import coverage, duty_edges, history, queue
from routing.assignment import LockedRosters
from routing.contact_changes import assigned_to, change_contact
from routing.handover import Handover, with_exclusions
from routing.history import What
from routing.models import Contact, Exclusion, RosterEntry, Source
from routing.selection import probabilities
from routing.turns import start_level

UNDO_WITHIN = timedelta(hours=24)  # after the begin
MOST_SOURCES = 50  # in a preview
LOOKS_AHEAD = timedelta(days=31)  # at the coverage of sources, from the begin


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where an open contact would go: to this operator with this chance, or, without one, to the queue for a reason."""

    contact: Contact
    operator: Operator | None
    chance: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who would get contacts, with the load before."""

    operator: Operator
    load: int
    gets: int


@dataclass(frozen=True, slots=True)
class ShareChange:
    """The share of a source's contacts by weight among those who are planned meanwhile: from 0 to 1."""

    operator: Operator
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class SourceForecast:
    """`holes`: intervals in which nobody is planned because of the leave; `other_holes`: in which nobody is anyway."""

    source: Source
    shares: Sequence[ShareChange]
    holes: Sequence[Interval]
    other_holes: Sequence[Interval]


@dataclass(frozen=True, slots=True)
class LeavePreview:
    """A forecast: the contacts that are open now, with the present loads. `more_sources` are not listed."""

    operator: Operator
    start: datetime
    end: datetime
    contacts: Sequence[Forecast]
    colleagues: Sequence[Colleague]
    sources: Sequence[SourceForecast]
    more_sources: int

    @property
    def queued(self) -> int:
        return sum(forecast.operator is None for forecast in self.contacts)


@dataclass(frozen=True, slots=True)
class UndoResult:
    """Ids of contacts: those given back, those that have moved on since, those for which there was no place."""

    given_back: list[int] = field(default_factory=list)
    moved_on: list[int] = field(default_factory=list)
    no_place: list[int] = field(default_factory=list)


class CopiedRosters(LockedRosters):
    """The same decisions on copies: nothing is locked, and `save` is never called."""

    def lock(self, operator_ids: Collection[int]) -> dict[int, Operator]:
        return Operator.objects.in_bulk(operator_ids)


def preview_leave(*, operator_id: int, start: datetime, end: datetime) -> LeavePreview:
    """What the leave would do if its hand-over came now. Locks and changes nothing. Raises Unknown.

    For a leave that begins later, the colleagues are taken as they are planned at its begin.
    """
    operator = Operator.objects.current().filter(pk=operator_id).first()
    if operator is None:
        raise Unknown("operator", operator_id)
    start = max(start, timezone.now())
    if end <= start:
        raise Invalid(FieldError("to", "past", _("It must end in the future.")))
    entries = RosterEntry.objects.current().filter(operator=operator_id).select_related("source")
    sources = [entry.source for entry in entries.order_by("source__name")]
    shown = sources[:MOST_SOURCES]
    contacts, colleagues = forecast_handover(operator, start)
    return LeavePreview(
        operator=operator,
        start=start,
        end=end,
        contacts=contacts,
        colleagues=colleagues,
        sources=forecast_sources(shown, operator_id, start, min(end, start + LOOKS_AHEAD)),
        more_sources=len(sources) - len(shown),
    )


def forecast_handover(operator: Operator, start: datetime) -> tuple[list[Forecast], list[Colleague]]:
    """Decides each open contact like the hand-over, on copies, with draws that are the same at each look."""
    contacts = list(Contact.objects.open().filter(operator=operator).order_by("pk").select_related("source", "lead"))
    rosters = CopiedRosters({contact.source_id for contact in contacts}, held={operator.pk})
    if start > timezone.now():
        be_as_planned(rosters.operators, start)
    rosters.operators[operator.pk].is_active = False
    loads = {pk: one.current_load for pk, one in rosters.operators.items()}
    handover = Handover(operator.pk, rosters, history.SYSTEM, ())
    forecasts = []
    for contact, given_back in with_exclusions(contacts):
        decision = handover.decide(contact, given_back, draw=Random(contact.pk).random)
        if decision is None or decision.chosen is None:
            forecasts.append(Forecast(contact, None, None, decision.reason if decision else None))
            continue
        chances = probabilities(decision.candidates, strategy=decision.strategy)
        chosen = rosters.operators[decision.chosen]
        forecasts.append(Forecast(contact, chosen, chances[decision.chosen], None))
    colleagues = [Colleague(rosters.operators[pk], loads[pk], gets) for pk, gets in handover.given.most_common()]
    return forecasts, colleagues


def be_as_planned(operators: dict[int, Operator], moment: datetime) -> None:
    """Makes these copies on duty as planned at this moment. What they had by the hour or by the minute is over then."""
    planned = coverage.planned_by_operator(operator_ids=operators, start=moment, end=moment + timedelta(microseconds=1))
    for operator in operators.values():
        operator.is_active = bool(planned.get(operator.pk))
        operator.capped_until = operator.paced_until = None


def forecast_sources(
    sources: Sequence[Source], operator_id: int, start: datetime, end: datetime
) -> list[SourceForecast]:
    entries = RosterEntry.objects.current().filter(source__in=sources).select_related("operator")
    rosters: dict[int, list[RosterEntry]] = {source.pk: [] for source in sources}
    for entry in entries.order_by("operator__name", "operator"):
        rosters[entry.source_id].append(entry)
    everybody = {entry.operator_id for roster in rosters.values() for entry in roster}
    planned = coverage.planned_by_operator(operator_ids=everybody, start=start, end=end)
    source_ids = [source.pk for source in sources]
    anyway = coverage.holes_by_source(source_ids=source_ids, start=start, end=end)
    alone = coverage.holes_by_source(source_ids=source_ids, start=start, end=end, without={operator_id})
    forecasts = []
    for source in sources:
        present = [one for one in rosters[source.pk] if one.operator_id == operator_id or planned.get(one.operator_id)]
        holes = without(alone[source.pk], anyway[source.pk])
        shares = share_changes(present, operator_id)
        forecasts.append(SourceForecast(source, shares, holes, anyway[source.pk]))
    return forecasts


def share_changes(entries: Sequence[RosterEntry], leaving: int) -> list[ShareChange]:
    total = sum(entry.weight for entry in entries)
    rest = sum(entry.weight for entry in entries if entry.operator_id != leaving)
    return [
        ShareChange(
            entry.operator,
            entry.weight / total,
            0.0 if entry.operator_id == leaving else entry.weight / rest,
        )
        for entry in entries
    ]


def apply_leave(
    *, operator_id: int, start: datetime, end: datetime, reason: str = "", handover: bool, author: Author
) -> Absence:
    """Adds the absence; one that begins now or earlier begins immediately. Raises what `duty_edges` raises."""
    return duty_edges.add_absence(
        operator_id=operator_id, start=start, end=end, reason=reason, handover=handover, author=author
    )


def recent_leaves(*, most: int) -> list[Absence]:
    """Those that `undo_leave` takes back, the newest first: to come, or begun within UNDO_WITHIN."""
    to_come = Q(began_at__isnull=True, ended_at__isnull=True)
    begun = Q(began_at__gt=timezone.now() - UNDO_WITHIN)
    is_done = Q(ended_at__isnull=False) & (Q(moved__isnull=True) | Q(moved=[]))
    leaves = Absence.objects.filter(to_come | begun).exclude(is_done)
    return list(
        leaves.filter(operator__archived_at__isnull=True).select_related("operator__schedule").order_by("-pk")[:most]
    )


def undo_leave(*, absence_id: int, author: Author) -> UndoResult:
    """Cancels the absence, and gives back the contacts that its hand-over has moved and that nobody has touched since.

    Each goes back while the operator is below the limit, the oldest first, unless the colleague has taken it, or it is
    resolved or with somebody else: those are named in the result. Contacts come before the return to duty, because the
    queue would fill the places. Repeating it after a failure does the rest. Raises Unknown, or Conflict `too_late`
    later than UNDO_WITHIN after the begin.
    """
    absence = find_absence(absence_id)
    if absence.began_at and absence.began_at <= timezone.now() - UNDO_WITHIN:
        raise Conflict("too_late", _("This leave began more than 24 hours ago. Cancel the absence instead."))
    result = give_back(absence_id, author)
    if absence.ended_at is None:
        with suppress(Unknown, Conflict):  # cancelled or over meanwhile
            duty_edges.cancel_absence(operator_id=absence.operator_id, absence_id=absence_id, author=author)
        if absence.began_at is None:
            result = give_back(absence_id, author)  # the clock may have begun it before it was cancelled
    return result


def give_back(absence_id: int, author: Author) -> UndoResult:
    """Gives back contacts, in one transaction. `Absence.moved` keeps those for which there was no place."""
    for attempt in retry.attempts():
        with attempt:
            result = UndoResult()
            absence = find_absence(absence_id)
            moves: dict[int, int | None] = dict(absence.moved or [])
            locked = lock_operators({absence.operator_id, *moves.values()})
            owner = locked[absence.operator_id]
            if owner.archived_at:
                raise Unknown("operator", owner.pk)
            if find_absence(absence_id).moved != absence.moved:
                raise retry.LostRace  # another undo came first
            returned = sort_contacts(moves, owner, result)
            freed = [contact.operator_id for contact in returned if contact.operator_id]
            store_return(returned, owner, locked, author.by)
            if moves:
                absence.moved = [[pk, moves[pk]] for pk in result.no_place]
                absence.save(update_fields=["moved"])
    if freed:
        queue.serve_operators(sorted(set(freed)))
    return result


def find_absence(absence_id: int) -> Absence:
    absence = Absence.objects.filter(pk=absence_id).first()
    if absence is None:
        raise Unknown("absence", absence_id)
    return absence


def sort_contacts(moves: Mapping[int, int | None], owner: Operator, result: UndoResult) -> list[Contact]:
    """Fills the result; returns the contacts to give back, locked, so that nobody takes one that waits meanwhile."""
    locked = Contact.objects.filter(pk__in=moves).select_related("source").order_by("pk")
    locked = locked.select_for_update(of=["self"], no_key=True)
    contacts = {contact.pk: contact for contact in locked}
    places = owner.max_load - owner.current_load
    for pk, given_to in sorted(moves.items()):
        contact = contacts.get(pk)  # None: no longer kept
        if contact and contact.operator_id == owner.pk:
            continue  # somebody has given it back by hand
        if contact is None or contact.is_resolved or contact.accepted_at or contact.operator_id != given_to:
            result.moved_on.append(pk)
        elif len(result.given_back) < places:
            result.given_back.append(pk)
        else:
            result.no_place.append(pk)
    return [contacts[pk] for pk in result.given_back]


def store_return(contacts: Sequence[Contact], owner: Operator, locked: Mapping[int, Operator], by: str) -> None:
    """Assigns these contacts to the owner by hand, and frees the places of those who had them."""
    changes, events = [], []
    were_away = [pk for pk, holder in locked.items() if holder.obstacle is not None]
    for contact in contacts:
        freed = contact.operator_id
        if freed:
            holder = locked[freed]
            holder.current_load = max(holder.current_load - 1, 0)
        add_place(owner)
        fields = assigned_to(owner.pk, accept_within=contact.source.accept_within, is_on_duty=owner.is_active)
        changes.append(change_contact(contact, **fields))
        events.append(history.event_of(contact, What.GIVEN, by, from_operator=freed))
        history.publish_move(contact, What.GIVEN, None)
    make_changes(changes)
    store_many(events)
    save_loads([*locked.values()] if contacts else [])
    for pk in were_away:
        if locked[pk].obstacle is None:
            start_level(pk)
    Exclusion.objects.filter(contact__in=contacts, operator=owner).delete()
