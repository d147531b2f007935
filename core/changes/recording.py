"""Records a change of configuration in the transaction that makes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.changes.models import Change, Via


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the configuration, which way, and why. `by` is a name such as "user vera" or "key crm_0a1b2c3d4e5f".

    `reverts`: the id of the change that is taken back.
    """

    by: str
    via: Via
    reason: str = ""
    reverts: int | None = None


SERVICE = Author("system", Via.COMMAND)  # commands, and other callers without a name


def record_change(
    what: str,
    author: Author,
    *,
    before: Mapping[Any, Any],
    after: Mapping[Any, Any],
    operator_id: int | None = None,
    source_id: int | None = None,
    subject: str = "",
    subject_id: int | None = None,
) -> Change | None:
    """Stores what differs between `before` and `after`, which have values that JSON knows; nothing if all is equal.

    The caller holds the lock of what it changes, so that the records of one object follow each other without a gap.
    """
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not changed:
        return None
    return Change.objects.create(
        what=what,
        by=author.by[:160],
        via=author.via,
        reason=author.reason,
        reverts_id=author.reverts,
        operator_id=operator_id,
        source_id=source_id,
        subject=subject[:160],
        subject_id=subject_id,
        before={str(name): before[name] for name in changed if name in before},
        after={str(name): after[name] for name in changed if name in after},
    )


def values_of(row: object, names: Iterable[str]) -> dict[str, Any]:
    """The present values of these attributes, for `before` or `after`."""
    return {name: getattr(row, name) for name in names}
