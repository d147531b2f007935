"""Every verb that can happen to a team, to be driven at random: each takes a source of chance and does one thing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from core.errors import Conflict, Unknown
from leads import batch, erasure, merging
from leads.models import Lead
from operators.models import Operator
from routing import lifecycle, operator_actions, queue, source_actions
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


def erase(chance: Random) -> None:
    erasure.erase_lead(lead_id=pick(chance, Lead).pk)


def resolve(chance: Random) -> None:
    lifecycle.resolve_contact(contact_id=pick(chance, Contact).pk)


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


def change_duty(chance: Random) -> None:
    change(chance, is_active=chance.random() < 0.7)


def change_limit(chance: Random) -> None:
    change(chance, max_load=chance.randint(1, 5))


def change(chance: Random, **changes: bool | int) -> None:
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


OFTEN = [register, register, register, resolve, resolve, reopen, give, reroute, put_back]
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
    change_strategy,
    sweep,
]
RARELY = [erase, archive, restore, restore, close_source, open_source, open_source]
VERBS: Sequence[Callable[[Random], None]] = OFTEN * 4 + SELDOM * 2 + RARELY


def act(verb: Callable[[Random], None], chance: Random) -> None:
    """Does it; being refused is an answer like any other."""
    with suppress(Conflict, Unknown, LookupError):
        verb(chance)


def pick(chance: Random, model: type[Any]) -> Any:
    """Any row; LookupError when there is none."""
    return model.objects.get(pk=chance.choice(list(model.objects.order_by("pk").values_list("pk", flat=True))))
