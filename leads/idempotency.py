"""Idempotency keys: the same request sent twice creates one contact. Keys are unique within a source.

Follows the IETF's draft-ietf-httpapi-idempotency-key-header. A key is stored in the row of the contact that it created
and is committed with it, so that no crash can separate the two. `prune` deletes old keys.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Max, Q, QuerySet

from core import retry
from core.db.compiled import Select
from core.errors import Reused
from routing import bookkeeping
from routing.models import Contact, Upkeep
from routing.waiting import WITH_OPERATOR, contacts_with_operators

Token = tuple[int, str | None]  # source and key; without a key, a repetition is not detected

BY_KEY: Select[Any] = Select(
    lambda source_id, key: Contact.objects.filter(source=source_id, idempotency_key=key).values_list(*WITH_OPERATOR)
)
FINGERPRINT_BYTES = 16
TOGETHER = 1_000  # keys deleted in one transaction, which keeps their contacts locked for some milliseconds


def body_fingerprint(asked: Mapping[str, str | None]) -> bytes:
    """A digest of the given fields, independent of their order, to compare the bodies of two requests."""
    given = {field: value for field, value in asked.items() if value is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()[:FINGERPRINT_BYTES]


def find_by_keys(tokens: Iterable[Token]) -> dict[Token, Contact]:
    """The contacts that these keys have already created."""
    keys: dict[int, set[str]] = {}
    for source_id, key in tokens:
        if key is not None:
            keys.setdefault(source_id, set()).add(key)
    if not keys:
        return {}
    by_source = (Q(source=source_id, idempotency_key__in=given) for source_id, given in keys.items())
    found = Contact.objects.select_related("operator").filter(reduce(or_, by_source))
    return {(contact.source_id, contact.idempotency_key): contact for contact in found}


def as_contacts(rows: Sequence[Sequence[Any]]) -> list[Contact]:
    """Makes contacts of the rows of BY_KEY."""
    return contacts_with_operators(rows)


def replay(contact: Contact, asked: bytes | None) -> Contact:
    """The earlier contact as the response to the repeated request. Raises Reused if the body is different."""
    if bytes(contact.idempotency_fingerprint or b"") != asked:
        raise Reused(str(contact.idempotency_key))
    again = copy.copy(contact)
    again.is_replay = True
    return again


def old_keys(*, older_than: datetime) -> QuerySet[Contact]:
    """Contacts registered before `older_than` that still have their key."""
    return Contact.objects.filter(created_at__lt=older_than, idempotency_key__isnull=False)


def forget_old_keys(*, older_than: datetime) -> int:
    """Deletes the keys of contacts registered before `older_than`. Returns how many.

    Each batch stores its progress, and the next run continues there: a kill loses nothing, and without new work only
    the progress and the newest contact of that age are read. The progress never passes that contact: with a clock that
    is ahead it would skip contacts registered after the clock is corrected. A progress later than `older_than`, from
    such a clock or from a time when keys were kept for less long, is ignored. To detect that, the command must run
    within the retention time of keys after a clock was corrected.
    """
    keyed = old_keys(older_than=older_than)
    noted, forgotten = Upkeep.objects.values_list("keys_forgotten_until", flat=True).first(), 0
    since = None if noted and noted > older_than else noted
    while True:
        remaining = keyed.filter(created_at__gte=since) if since else keyed
        oldest = list(remaining.order_by("created_at").values_list("pk", "created_at")[:TOGETHER])
        if not oldest:
            break
        since = oldest[-1][1]
        forgotten += forget_keys([pk for pk, _ in oldest], until=since)
    newest = Contact.objects.filter(created_at__lt=older_than).aggregate(at=Max("created_at"))["at"]
    if newest != noted:
        bookkeeping.note_moments(keys_forgotten_until=newest)
    return forgotten


def forget_keys(contacts: Sequence[int], *, until: datetime) -> int:
    """Deletes the keys of these contacts, which it locks in key order, as all code does. Returns how many."""
    for attempt in retry.attempts():
        with attempt:
            locked = Contact.objects.filter(pk__in=contacts).order_by("pk").select_for_update(no_key=True)
            pks = list(locked.values_list("pk", flat=True))
            number = Contact.objects.filter(pk__in=pks, idempotency_key__isnull=False).update(
                idempotency_key=None, idempotency_fingerprint=None
            )
            bookkeeping.note_moments(keys_forgotten_until=until)
    return number
