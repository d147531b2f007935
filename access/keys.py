"""Makes, rotates, revokes and recognises keys.

A key is `crm_<12 hexadecimal digits>_<256 random bits>`. Its first 16 characters are its prefix, by which people and
the history name it. Of the whole, only the SHA-256 is stored: what is random needs no slow hash, which protects
passwords that people choose.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access.models import ApiKey
from core.db.compiled import Columns, Select
from routing.models import Source

FORM = re.compile(r"(crm_[0-9a-f]{12})_[A-Za-z0-9_-]{43}")
COLUMNS = Columns(ApiKey, ["id", "prefix", "digest", "source_id", "expires_at", "revoked_at", "last_used_at"])
BY_PREFIX: Select[Any] = Select(lambda prefix: ApiKey.objects.filter(prefix=prefix).values_list(*COLUMNS.names))
LIVE_AT_ONCE = 2  # of one lineage: the old key while its users move over, and the new one
NOTED_EVERY = timedelta(minutes=1)


class CannotRotate(Exception):
    """The key is not live, or has a live successor or predecessor already. Nothing has changed."""


@dataclass(frozen=True)
class NewKey:
    """A key just made. `secret` is the whole of it, for the one answer that shows it."""

    key: ApiKey
    secret: str = field(repr=False)


def make_key(*, name: str, source: Source | None, expires_at: datetime | None = None) -> NewKey:
    """A key for one source, or for management where `source` is None."""
    return store_key(ApiKey(name=name, source=source, expires_at=expires_at))


@sensitive_variables("secret")
def store_key(key: ApiKey) -> NewKey:
    key.prefix = f"crm_{secrets.token_hex(6)}"
    secret = f"{key.prefix}_{secrets.token_urlsafe(32)}"
    key.digest = digest_secret(secret)
    key.save(force_insert=True)
    return NewKey(key, secret)


def rotate_key(*, key_id: int, expires_at: datetime | None = None, old_until: datetime | None = None) -> NewKey:
    """A successor with the same name and scope. The old key lives on until `old_until`, or until it is revoked.

    Raises CannotRotate. The row of the old key is locked first and its lineage counted afterwards, in a statement of
    its own that sees what another rotation has just committed: of concurrent rotations of a key, one succeeds.
    """
    with transaction.atomic():
        old = lock_key(key_id)
        if not old.is_live or live_in_lineage(old) >= LIVE_AT_ONCE:
            raise CannotRotate
        if old_until and (old.expires_at is None or old_until < old.expires_at):
            old.expires_at = old_until
            old.save(update_fields=["expires_at"])
        return store_key(ApiKey(name=old.name, source_id=old.source_id, lineage=old.lineage, expires_at=expires_at))


def lock_key(key_id: int) -> ApiKey:
    """Nothing that routes contacts ever waits for this row."""
    return ApiKey.objects.select_for_update(no_key=True).get(pk=key_id)


def live_in_lineage(key: ApiKey) -> int:
    return ApiKey.objects.live().filter(lineage=key.lineage).count()


def revoke_key(*, key_id: int) -> None:
    """From its commit on no process accepts the key. Revoking it again changes nothing."""
    with transaction.atomic():
        ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=timezone.now())


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
    """At most once a minute: of concurrent requests, the condition lets one write."""
    now = timezone.now()
    if use_is_due(key, now):
        not_noted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - NOTED_EVERY)
        with transaction.atomic():
            ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now)
        key.last_used_at = now


def use_is_due(key: ApiKey, now: datetime) -> bool:
    return key.last_used_at is None or key.last_used_at <= now - NOTED_EVERY


@sensitive_variables("secret")
def digest_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
