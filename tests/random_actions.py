"""Every verb that can happen to a team, to be driven at random: each takes a source of chance and does one thing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from core.changes.recording import SERVICE
from core.errors import Conflict, Unknown
from leads import batch, contact_editing, erasure, identity_actions, lead_editing, merging
from leads.models import Identity, Lead, PossibleDuplicate
from operators.models import Absence, Operator
from routing import clock, duty_edges, leave, lifecycle, opening_hours, operator_actions, queue, source_actions, taking
from routing.models import Contact, Source
from routing.selection import STRATEGIES
from tests import characters


def register(chance: Random) -> None:
    phone = f"+7999{chance.randrange(200):07d}"
    characters.contact(pick(chance, Source), lead_phone=phone)


def register_batch(chance: Random) -> None:
    source = pick(chance, Source)
    phones = [f"+7999{chance.randrange(200):07d}" for _ in range(chance.randint(1, 5))]
    batch.register_contacts(items=[{"source_id": source.pk, "lead_phone": phone} for phone in phones])


def merge(chance: Random) -> None:
    merging.merge_leads(lead_id=pick(chance, Lead).pk, other_id=pick(chance, Lead).pk)


def unmerge(chance: Random) -> None:
    merging.unmerge_lead(lead_id=pick(chance, Lead).pk)


def dismiss(chance: Random) -> None:
    merging.dismiss_duplicate(pair_id=pick(chance, PossibleDuplicate).pk)


def correct_lead(chance: Random) -> None:
    changes = {"phone": f"+7999{chance.randrange(200):07d}", "name": chance.choice(["Anna", "Ann"])}
    lead_editing.edit_lead(lead_id=pick(chance, Lead).pk, changes=changes)


def detach(chance: Random) -> None:
    identity = pick(chance, Identity)
    identity_actions.detach_identity(lead_id=identity.lead_id, identity_id=identity.pk)


def share(chance: Random) -> None:
    identity = pick(chance, Identity)
    verb = chance.choice([identity_actions.share_identity, identity_actions.unshare_identity])
    verb(lead_id=identity.lead_id, identity_id=identity.pk)


def correct_contact(chance: Random) -> None:
    changes = {"message": "Corrected", "is_resolved": chance.random() < 0.5}
    contact_editing.edit_contact(contact_id=pick(chance, Contact).pk, changes=changes)


def erase(chance: Random) -> None:
    erasure.erase_lead(lead_id=pick(chance, Lead).pk)


def resolve(chance: Random) -> None:
    lifecycle.resolve_contact(contact_id=pick(chance, Contact).pk)


def resolve_as_seen(chance: Random) -> None:
    seen = pick(chance, Contact)
    lifecycle.resolve_contact(contact_id=seen.pk, expected_operator_id=seen.operator_id)


def reopen(chance: Random) -> None:
    lifecycle.reopen_contact(contact_id=pick(chance, Contact).pk)


def give(chance: Random) -> None:
    lifecycle.give_contact(contact_id=pick(chance, Contact).pk, operator_id=pick(chance, Operator).pk)


def force(chance: Random) -> None:
    lifecycle.force_contact(contact_id=pick(chance, Contact).pk, operator_id=pick(chance, Operator).pk)


def reroute(chance: Random) -> None:
    lifecycle.reroute_contact(contact_id=pick(chance, Contact).pk)


def put_back(chance: Random) -> None:
    lifecycle.return_contact(contact_id=pick(chance, Contact).pk)


def take(chance: Random) -> None:
    taking.accept_contact(contact_id=pick(chance, Contact).pk)


def take_as_seen(chance: Random) -> None:
    seen = pick(chance, Contact)
    taking.accept_contact(contact_id=seen.pk, expected_operator_id=seen.operator_id)


def reply(chance: Random) -> None:
    taking.touch_contact(contact_id=pick(chance, Contact).pk)


def decline(chance: Random) -> None:
    taking.decline_contact(contact_id=pick(chance, Contact).pk, reason=chance.choice([None, "On lunch"]))


def change_duty(chance: Random) -> None:
    change(chance, is_active=chance.random() < 0.7)


def change_limit(chance: Random) -> None:
    change(chance, max_load=chance.randint(1, 5))


def change(chance: Random, **changes: bool | int | None) -> None:
    operator_actions.change_operator(operator_id=pick(chance, Operator).pk, changes=changes)


def hand_over(chance: Random) -> None:
    verb = chance.choice([operator_actions.hand_over, operator_actions.hand_over_on_duty])
    verb(operator_id=pick(chance, Operator).pk)


def archive(chance: Random) -> None:
    operator_actions.archive_operator(operator_id=pick(chance, Operator).pk)


def restore(chance: Random) -> None:
    operator_actions.restore_operator(operator_id=pick(chance, Operator).pk)


def set_weight(chance: Random) -> None:
    source, operator = pick(chance, Source), pick(chance, Operator)
    source_actions.set_weight(source_id=source.pk, operator_id=operator.pk, weight=chance.randint(1, 100))


def replace_roster(chance: Random) -> None:
    members = list(Operator.objects.current().order_by("pk").values_list("pk", flat=True))
    weights = [{"operator_id": pk, "weight": chance.randint(1, 100)} for pk in members if chance.random() < 0.7]
    source_actions.replace_roster(source_id=pick(chance, Source).pk, weights=weights)


def change_roster(chance: Random) -> None:
    joins, leaves = pick(chance, Operator), pick(chance, Operator)
    weights = {joins.pk: chance.randint(1, 100)} if joins != leaves else {}
    source_actions.change_roster(source_id=pick(chance, Source).pk, weights=weights, leaving=[leaves.pk])


def leave_roster(chance: Random) -> None:
    source_actions.remove_from_roster(source_id=pick(chance, Source).pk, operator_id=pick(chance, Operator).pk)


def change_strategy(chance: Random) -> None:
    changes = {"strategy": chance.choice(list(STRATEGIES)), "is_sticky": chance.random() < 0.3}
    source_actions.change_source(source_id=pick(chance, Source).pk, changes=changes)


def close_source(chance: Random) -> None:
    source_actions.archive_source(source_id=pick(chance, Source).pk)


def open_source(chance: Random) -> None:
    source_actions.restore_source(source_id=pick(chance, Source).pk)


def sweep(chance: Random) -> None:
    queue.sweep_queue()


def change_time_to_take(chance: Random) -> None:
    limits = {"max_offers": chance.randint(1, 4), "off_duty_after_missed": chance.choice([None, 1, 2])}
    changes = limits | {"accept_within": chance.choice([None, 30, 60])}
    source_actions.change_source(source_id=pick(chance, Source).pk, changes=changes)


def change_caps(chance: Random) -> None:
    names = ("max_per_hour", "max_per_day", "queue_pace")
    change(chance, **{chance.choice(names): chance.choice([None, 1, 3, 10])})


def weekly(chance: Random) -> dict[str, Any]:
    """Hours for about every second day, or none at all."""
    days = [day for day in range(1, 8) if chance.random() < 0.5]
    begin, end = chance.choice([("00:00", "24:00"), ("09:00", "18:00"), ("18:00", "09:00")])
    shifts = [{"weekday": day, "from": begin, "to": end} for day in days]
    return {"time_zone": chance.choice(["UTC", "Europe/Berlin"]), "shifts": shifts}


def schedule(chance: Random) -> None:
    duty_edges.set_schedule(operator_id=pick(chance, Operator).pk, **weekly(chance))


def change_opening_hours(chance: Random) -> None:
    hours = weekly(chance) if chance.random() < 0.4 else {"time_zone": "UTC", "shifts": []}
    opening_hours.set_opening_hours(source_id=pick(chance, Source).pk, **hours)


def go_on_leave(chance: Random) -> None:
    start = timezone.now() + timedelta(minutes=chance.choice([-1, -1, 1, 60]))
    end = start + timedelta(minutes=chance.choice([2, 90]))
    operator_id, handover = pick(chance, Operator).pk, chance.random() < 0.7
    leave.apply_leave(operator_id=operator_id, start=start, end=end, handover=handover, author=SERVICE)


def cancel_absence(chance: Random) -> None:
    absence = pick(chance, Absence)
    duty_edges.cancel_absence(operator_id=absence.operator_id, absence_id=absence.pk)


def undo_leave(chance: Random) -> None:
    """The last leave that has moved contacts, if there is one."""
    moved = Absence.objects.filter(moved__isnull=False).exclude(moved=[]).order_by("pk").last()
    leave.undo_leave(absence_id=(moved or pick(chance, Absence)).pk, author=SERVICE)


def pause(chance: Random) -> None:
    duty_edges.pause_operator(operator_id=pick(chance, Operator).pk, minutes=chance.choice([1, 60]))


def resume(chance: Random) -> None:
    duty_edges.resume_operator(operator_id=pick(chance, Operator).pk)


def tick(chance: Random) -> None:
    clock.tick()


OFTEN = [register, register, register, resolve, resolve_as_seen, reopen, give, reroute, put_back, take, decline]
SELDOM = [
    register_batch,
    merge,
    unmerge,
    force,
    change_duty,
    change_limit,
    hand_over,
    set_weight,
    leave_roster,
    change_roster,
    change_strategy,
    correct_contact,
    take_as_seen,
    reply,
    correct_lead,
    detach,
    share,
    sweep,
    go_on_leave,
    undo_leave,
    cancel_absence,
    pause,
    resume,
    tick,
    tick,
    change_time_to_take,
]
RARELY = [erase, dismiss, archive, restore, restore, replace_roster, close_source, open_source, open_source]
RARELY += [change_caps, schedule, change_opening_hours]
VERBS: Sequence[Callable[[Random], None]] = OFTEN * 4 + SELDOM * 2 + RARELY


def act(verb: Callable[[Random], None], chance: Random) -> None:
    """Does it; being refused is an answer like any other."""
    with suppress(Conflict, Unknown, LookupError):
        verb(chance)


def pick(chance: Random, model: type[Any]) -> Any:
    """Any row; LookupError when there is none, or when it has just been deleted."""
    row = model.objects.filter(
        pk=chance.choice(list(model.objects.order_by("pk").values_list("pk", flat=True)))
    ).first()
    if row is None:
        raise LookupError
    return row
