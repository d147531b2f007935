"""The same request sent twice makes one contact: idempotency keys, one name space for each source.

After the IETF's draft-ietf-httpapi-idempotency-key-header. A key lives in the row of the contact that it made and
becomes durable with it, so there is no moment, and no crash, between the two. `prune` forgets old keys.
"""

import copy
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from core.db.compiled import Select
from core.errors import Reused
from routing.models import Contact, Upkeep
from routing.waiting import CONTACT

Token = tuple[int, str | None]  # source and key; no key, no repetition

BY_KEY: Select[Any] = Select(lambda source_id, key: contacts_by_keys(source_id, [key]).values_list(*CONTACT.names))
FINGERPRINT_BYTES = 16
TOGETHER = 1_000  # keys forgotten in one transaction, which keeps their contacts locked for some milliseconds


def body_fingerprint(asked: Mapping[str, str | None]) -> bytes:
    """What tells one body from another: a digest of the given fields, in whatever order they came."""
    given = {field: value for field, value in asked.items() if value is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()[:FINGERPRINT_BYTES]


def find_by_keys(tokens: Iterable[Token]) -> dict[Token, Contact]:
    """The contacts that these keys have made already."""
    keys: dict[int, set[str]] = {}
    for source_id, key in tokens:
        if key is not None:
            keys.setdefault(source_id, set()).add(key)
    return {
        (contact.source_id, contact.idempotency_key): contact
        for source_id, given in keys.items()
        for contact in contacts_by_keys(source_id, given)
    }


def contacts_by_keys(source_id: int, keys: Collection[str]) -> QuerySet[Contact]:
    return Contact.objects.filter(source=source_id, idempotency_key__in=keys)


def as_contacts(rows: Sequence[Sequence[Any]]) -> list[Contact]:
    """The rows of BY_KEY."""
    return CONTACT.instances(rows)


def replay(contact: Contact, asked: bytes | None) -> Contact:
    """The earlier contact as the answer to the repeated request. Raises Reused when the body was another one."""
    if bytes(contact.idempotency_fingerprint or b"") != asked:
        raise Reused(str(contact.idempotency_key))
    again = copy.copy(contact)
    again.is_replay = True
    return again


def forget_old_keys(*, older_than: datetime) -> int:
    """Forgets the keys of contacts registered before that moment. Returns how many.

    It notes how far it has come with each batch of them, and begins there the next time: killed at any moment it
    loses nothing, and where nothing is new nothing is read but the note and the newest contact that is so old. The note
    goes no further than that contact: a clock that is ahead would have it skip what is registered when it is right
    again. One that lies beyond `older_than` all the same, from such a clock or from days when keys were kept for less
    long, counts for nothing. It must run within the time that keys are kept after a clock was put right to see that.
    """
    upkeep, _ = Upkeep.objects.get_or_create(pk=1)
    so_old = Contact.objects.filter(created_at__lt=older_than)
    keyed = so_old.filter(idempotency_key__isnull=False)
    noted, forgotten = upkeep.keys_forgotten_until, 0
    since = None if noted and noted > older_than else noted
    while True:
        remaining = keyed.filter(created_at__gte=since) if since else keyed
        oldest = list(remaining.order_by("created_at").values_list("pk", "created_at")[:TOGETHER])
        if not oldest:
            break
        since = oldest[-1][1]
        forgotten += forget_keys([pk for pk, _ in oldest], until=since)
    newest = so_old.aggregate(at=Max("created_at"))["at"]
    if newest != noted:
        Upkeep.objects.filter(pk=1).update(keys_forgotten_until=newest)
    return forgotten


def forget_keys(contacts: Sequence[int], *, until: datetime) -> int:
    """Locks these contacts in key order, as everybody does."""
    with transaction.atomic():
        locked = Contact.objects.filter(pk__in=contacts).order_by("pk").select_for_update(no_key=True)
        pks = list(locked.values_list("pk", flat=True))
        number = Contact.objects.filter(pk__in=pks, idempotency_key__isnull=False).update(
            idempotency_key=None, idempotency_fingerprint=None
        )
        Upkeep.objects.filter(pk=1).update(keys_forgotten_until=until)
    return number
