"""Takes changes of configuration back: the same functions set the old values, if nobody has set others since."""

from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext as _

from core.changes.models import Change
from core.changes.recording import Author
from core.errors import Conflict, Overtaken, Unknown
from routing import duty_edges, opening_hours, operator_actions, source_actions

SCHEDULE = ("time_zone", "weekly")


def revert_change(*, change_id: int, author: Author) -> Change:
    """Sets what was before; returns the new change, which names the one that it reverts.

    Contacts stay where they have gone since. Raises Unknown; Conflict `changed_since` if something else is set now than
    this change has set, or its object is archived; Conflict `not_revertible`; and the refusals of the function called.
    """
    change = Change.objects.of_configuration().filter(pk=change_id).first()
    if change is None:
        raise Unknown("change", change_id)
    if not is_revertible(change):
        details = {"id": change_id, "what": change.what}
        raise Conflict("not_revertible", _("Change %(id)s cannot be reverted: %(what)s.") % details)
    earlier = latest_reversal(change_id)
    try:
        REVERTING[change.what](change, replace(author, reverts=change_id))
    except (Overtaken, Unknown):
        raise ChangedSince(change_id) from None
    made = latest_reversal(change_id)
    if made is None or made == earlier:  # it was in the former state already
        raise ChangedSince(change_id)
    return made


class ChangedSince(Conflict):
    def __init__(self, change_id: int) -> None:
        detail = _("What change %(id)s has set was changed again since. Nothing was reverted.") % {"id": change_id}
        super().__init__("changed_since", detail)


def is_revertible(change: Change) -> bool:
    return change.what in REVERTING


def latest_reversal(change_id: int) -> Change | None:
    return Change.objects.filter(reverts=change_id).order_by("pk").last()


def set_operator(change: Change, author: Author) -> None:
    operator_actions.change_operator(
        operator_id=id_of(change.operator_id), changes=change.before, seen=change.after, author=author
    )


def set_schedule(change: Change, author: Author) -> None:
    operator_id = id_of(change.operator_id)
    values, seen = ({name: side[name] for name in SCHEDULE if name in side} for side in (change.before, change.after))
    values = duty_edges.schedule_values(operator_id) | values
    duty_edges.set_schedule(
        operator_id=operator_id, time_zone=values["time_zone"], shifts=values["weekly"], seen=seen, author=author
    )


def restore_operator(change: Change, author: Author) -> None:
    operator_actions.restore_operator(operator_id=id_of(change.operator_id), author=author)


def archive_operator(change: Change, author: Author) -> None:
    operator_actions.archive_operator(operator_id=id_of(change.operator_id), author=author)


def set_source(change: Change, author: Author) -> None:
    source_actions.change_source(
        source_id=id_of(change.source_id), changes=change.before, seen=change.after, author=author
    )


def restore_source(change: Change, author: Author) -> None:
    source_actions.restore_source(source_id=id_of(change.source_id), author=author)


def archive_source(change: Change, author: Author) -> None:
    source_actions.archive_source(source_id=id_of(change.source_id), author=author)


def set_opening_hours(change: Change, author: Author) -> None:
    source_id = id_of(change.source_id)
    present = opening_hours.stored_values(source_id)
    if any(present[name] != value for name, value in change.after.items()):
        raise Overtaken
    wanted = present | change.before
    opening_hours.set_opening_hours(
        source_id=source_id, time_zone=wanted["time_zone"], shifts=wanted["weekly"], seen=present, author=author
    )


def set_roster(change: Change, author: Author) -> None:
    before = {int(operator_id): weight for operator_id, weight in change.before.items()}
    source_actions.change_roster(
        source_id=id_of(change.source_id),
        weights={operator_id: weight for operator_id, weight in before.items() if weight is not None},
        leaving=[operator_id for operator_id, weight in before.items() if weight is None],
        seen={int(operator_id): weight for operator_id, weight in change.after.items()},
        author=author,
    )


def id_of(stored: int | None) -> int:
    """The id of the operator or source, which each change of this kind has."""
    assert stored is not None
    return stored


# By kind of change. Created objects are archived instead; accounts and keys are matters of rights and secrets.
REVERTING: dict[str, Callable[[Change, Author], None]] = {
    "operator.changed": set_operator,
    "operator.handed_over": set_operator,
    "operator.scheduled": set_schedule,
    "operator.archived": restore_operator,
    "operator.restored": archive_operator,
    "source.changed": set_source,
    "source.scheduled": set_opening_hours,
    "source.archived": restore_source,
    "source.restored": archive_source,
    "roster.changed": set_roster,
}
