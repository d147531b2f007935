"""Makes, rotates, revokes and recognises keys.

A key is `crm_<12 hexadecimal digits>_<256 random bits>`. Its first 16 characters are its prefix, by which people and
the history name it. Of the whole, only the SHA-256 is stored: what is random needs no slow hash, which protects
passwords that people choose.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import Error
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access.models import ApiKey
from core import deadline, retry
from core.changes.recording import SERVICE, Author, record_change, values_of
from core.db.compiled import Columns, Select
from core.db.faults import fault_of
from core.errors import Busy
from routing.models import Source

log = logging.getLogger(__name__)

FORM = re.compile(r"(crm_[0-9a-f]{12})_[A-Za-z0-9_-]{43}")
COLUMNS = Columns(ApiKey, ["id", "prefix", "digest", "source_id", "expires_at", "revoked_at", "last_used_at"])
BY_PREFIX: Select[Any] = Select(lambda prefix: ApiKey.objects.filter(prefix=prefix).values_list(*COLUMNS.names))
LIVE_AT_ONCE = 2  # of one lineage: the old key while its users move over, and the new one
NOTED_EVERY = timedelta(minutes=1)
PATIENCE = 0.2  # seconds to wait for other writers of SQLite; the next request tries again


class CannotRotate(Exception):
    """The key is not live, or has a live successor or predecessor already. Nothing has changed."""


@dataclass(frozen=True)
class NewKey:
    """A key just made. `secret` is the whole of it, for the one answer that shows it."""

    key: ApiKey
    secret: str = field(repr=False)


def make_key(
    *, name: str, source: Source | None, expires_at: datetime | None = None, author: Author = SERVICE
) -> NewKey:
    """A key for one source, or for management where `source` is None."""
    for attempt in retry.attempts():
        with attempt:
            new = store_key(ApiKey(name=name, source=source, expires_at=expires_at))
            record_key("key.created", author, new.key, before={}, after=state_of(new.key))
    return new


@sensitive_variables("secret")
def store_key(key: ApiKey) -> NewKey:
    key.prefix = f"crm_{secrets.token_hex(6)}"
    secret = f"{key.prefix}_{secrets.token_urlsafe(32)}"
    key.digest = digest_secret(secret)
    key.save(force_insert=True)
    return NewKey(key, secret)


def rotate_key(
    *,
    key_id: int,
    expires_at: datetime | None = None,
    old_until: datetime | None = None,
    author: Author = SERVICE,
) -> NewKey:
    """A successor with the same name and scope. The old key lives on until `old_until`, or until it is revoked.

    Raises CannotRotate. The row of the old key is locked first and its lineage counted afterwards, in a statement of
    its own that sees what another rotation has just committed: of concurrent rotations of a key, one succeeds.
    """
    for attempt in retry.attempts():
        with attempt:
            old = lock_key(key_id)
            if not old.is_live or live_in_lineage(old) >= LIVE_AT_ONCE:
                raise CannotRotate
            before = state_of(old)
            if old_until and (old.expires_at is None or old_until < old.expires_at):
                old.expires_at = old_until
                old.save(update_fields=["expires_at"])
            successor = ApiKey(name=old.name, source_id=old.source_id, lineage=old.lineage, expires_at=expires_at)
            new = store_key(successor)
            record_key("key.rotated", author, old, before=before, after=state_of(old) | {"successor": new.key.prefix})
            record_key("key.created", author, new.key, before={}, after=state_of(new.key))
    return new


def lock_key(key_id: int) -> ApiKey:
    """Nothing that routes contacts ever waits for this row."""
    return ApiKey.objects.select_for_update(no_key=True).get(pk=key_id)


def live_in_lineage(key: ApiKey) -> int:
    return ApiKey.objects.live().filter(lineage=key.lineage).count()


def revoke_key(*, key_id: int, author: Author = SERVICE) -> None:
    """From its commit on no process accepts the key. Revoking it again changes nothing."""
    for attempt in retry.attempts():
        with attempt:
            key = lock_key(key_id)
            if key.revoked_at is None:
                key.revoked_at = timezone.now()
                key.save(update_fields=["revoked_at"])
                record_key("key.revoked", author, key, before={"revoked": False}, after={"revoked": True})


def state_of(key: ApiKey) -> dict[str, Any]:
    """What is recorded of a key: everything but what would allow to use it."""
    expires_at = key.expires_at and key.expires_at.isoformat()
    return values_of(key, ["name", "prefix", "source_id"]) | {"expires_at": expires_at}


def record_key(what: str, author: Author, key: ApiKey, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    record_change(
        what, author, before=before, after=after, source_id=key.source_id, subject=key.prefix, subject_id=key.pk
    )


@sensitive_variables("secret", "form")
def find_live_key(secret: str) -> ApiKey | None:
    """The live key that this is, by one indexed query; None for any other text, at the cost of at most that query.

    A revoked or expired key is refused immediately, in every process.
    """
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    key = next(iter(COLUMNS.instances(BY_PREFIX(form[1]))), None)
    if key is None or not is_whole(secret, key) or not key.is_live:
        return None
    record_use(key)
    return key


@sensitive_variables("secret")
def is_whole(secret: str, key: ApiKey) -> bool:
    return secrets.compare_digest(key.digest, digest_secret(secret))


def record_use(key: ApiKey) -> None:
    """At most once a minute: of concurrent requests, the condition lets one write.

    A database that takes no changes now, such as SQLite while another process writes, keeps nobody from reading.
    """
    now = timezone.now()
    if use_is_due(key, now):
        not_noted = ~Q(last_used_at__gt=now - NOTED_EVERY, last_used_at__lte=now + NOTED_EVERY)
        try:
            with deadline.limit_to(PATIENCE):
                for attempt in retry.attempts():
                    with attempt:
                        ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now)
        except (Busy, Error) as error:
            if isinstance(error, Error) and not fault_of(error):
                raise
            log.warning("The use of a key was not noted", exc_info=True)
        else:
            key.last_used_at = now


def use_is_due(key: ApiKey, now: datetime) -> bool:
    """Also if the last one was noted by a clock that has been set back since."""
    return key.last_used_at is None or not now - NOTED_EVERY < key.last_used_at <= now + NOTED_EVERY


@sensitive_variables("secret")
def digest_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
