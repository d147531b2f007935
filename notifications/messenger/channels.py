"""The channels of an operator or of a user who supervises: set, switched off and on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.changes.models import Via
from core.changes.recording import Author, record_change
from core.errors import Conflict, FieldError, Invalid, Unknown
from notifications.feed import TYPES
from notifications.messenger.channel_addresses import read_address
from notifications.messenger.models import LONGEST_REASON, Channel, Kind
from notifications.webhooks.signing import make_secret
from operators.models import Operator

MOST = 10  # channels of one operator
EVENT_TYPES = [name for name in TYPES if name.startswith("contact.")]


def list_channels(operator_id: int) -> list[Channel]:
    """The operator's channels, in order of id. Raises Unknown."""
    require_operator(operator_id)
    return list(Channel.objects.current().filter(operator=operator_id).order_by("pk"))


def set_channels(*, operator_id: int, channels: Sequence[Mapping[str, Any]], author: Author) -> list[Channel]:
    """Makes these the operator's channels, in one transaction; others are removed. Returns them.

    Each has `kind`, and optionally `address`, `types`, `quiet_from`, `quiet_to`, `language` and `is_active`. A channel
    with the same kind and address stays what it is; one of Telegram without an address is the linked chat, or waits to
    be linked. Raises Unknown, Invalid, or Conflict `chat_taken` if a chat belongs to another operator.
    """
    wanted = read_channels(channels)
    for attempt in retry.attempts():
        with attempt:
            lock_operator(operator_id)
            present = list(Channel.objects.current().filter(operator=operator_id).order_by("pk"))
            before = describe_channels(present)
            kept = [store_channel(operator_id, fields, present) for fields in wanted]
            gone = [channel.pk for channel in present if channel.pk not in {one.pk for one in kept}]
            remove_channels(gone)
            after = describe_channels(kept)
            record_change(
                "operator.channels",
                author,
                before={"channels": before},
                after={"channels": after},
                operator_id=operator_id,
            )
    return sorted(kept, key=lambda channel: channel.pk)


def read_channels(channels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same with addresses as they are stored. Raises Invalid that names every bad field."""
    errors: list[FieldError] = []
    read: list[dict[str, Any]] = []
    seen: set[tuple[str, str]] = set()
    if len(channels) > MOST:
        errors.append(FieldError("channels", "too_many", _("At most %(limit)s channels.") % {"limit": MOST}))
    for number, fields in enumerate(channels[:MOST]):
        try:
            address = read_address(Kind(fields["kind"]), fields.get("address") or "")
        except Invalid as error:
            errors += [FieldError(f"{number}.{one.field}", one.code, one.detail) for one in error.errors]
            continue
        key = (fields["kind"], "" if fields["kind"] == Kind.TELEGRAM else address)
        if key in seen:
            errors.append(FieldError(f"{number}.address", "repeated", _("This channel is in the list twice.")))
        seen.add(key)
        read.append({**fields, "address": address})
    if errors:
        raise Invalid(*errors)
    return read


def store_channel(operator_id: int, fields: dict[str, Any], present: Sequence[Channel]) -> Channel:
    """Changes the channel that has this kind and address, or creates one, inside the caller's transaction."""
    kind, address = fields["kind"], fields["address"]
    same = [one for one in present if one.kind == kind and (kind == Kind.TELEGRAM or one.address == address)]
    channel = same[0] if same else Channel(operator_id=operator_id, kind=kind)
    if kind == Kind.TELEGRAM and address and address != channel.address:
        raise_if_chat_taken(address, operator_id)
        channel.is_active, channel.off_reason = True, ""
    if kind == Kind.WEBHOOK and not channel.secret:
        channel.secret = channel.fresh_secret = make_secret()
    channel.address = address or channel.address
    for name in ("types", "quiet_from", "quiet_to"):
        setattr(channel, name, fields.get(name))
    channel.language = fields.get("language") or channel.language
    if fields.get("is_active") is not None:
        channel.is_active = fields["is_active"]
        channel.off_reason = "" if channel.is_active else channel.off_reason
    channel.save()
    return channel


def raise_if_chat_taken(address: str, operator_id: int) -> None:
    """The unique index refuses one that is linked after this look, and the transaction starts again."""
    others = Channel.objects.current().filter(kind=Kind.TELEGRAM, address=address, operator__isnull=False)
    other = others.exclude(operator=operator_id).select_related("operator").first()
    if other:
        detail = _("The chat belongs to %(name)s.") % {"name": other.operator}
        raise Conflict("chat_taken", detail, (FieldError("address", "chat_taken", detail),))


def remove_channels(channel_ids: Iterable[int]) -> None:
    """Removes these channels inside the caller's transaction. Their notices stay as history."""
    Channel.objects.filter(pk__in=list(channel_ids)).update(removed_at=timezone.now(), is_active=False)


def switch_off_channel(*, channel_id: int, address: str, reason: str) -> None:
    """Nothing can be sent there any more, for this reason. A channel that has another address by now stays on."""
    author = Author("system", Via.RULE, reason[:LONGEST_REASON])
    for attempt in retry.attempts():
        with attempt:
            operator_id = Channel.objects.filter(pk=channel_id).values_list("operator", flat=True).first()
            before = described_of(operator_id)
            channels = Channel.objects.filter(pk=channel_id, address=address, is_active=True)
            channels.update(is_active=False, off_reason=reason[:LONGEST_REASON])
            record_channels(operator_id, before, author)


def add_channel(
    *, fields: Mapping[str, Any], author: Author, operator_id: int | None = None, user_id: int | None = None
) -> Channel:
    """Creates a channel of an operator, or of a user who supervises, with the same fields as in `set_channels`.

    Raises Unknown, Invalid, or Conflict: `chat_taken`, or `channel_exists` if the owner has this channel already.
    """
    kind = Kind(fields["kind"])
    values = {**fields, "address": read_address(kind, fields.get("address") or "")}
    for attempt in retry.attempts():
        with attempt:
            if operator_id is not None:
                require_operator(operator_id)
            before = described_of(operator_id)
            channel = Channel(operator_id=operator_id, user_id=user_id, kind=kind)
            if kind == Kind.WEBHOOK:
                channel.secret = channel.fresh_secret = make_secret()
            store_values(channel, values)
            record_channels(operator_id, before, author)
    return channel


def change_channel(*, channel_id: int, changes: Mapping[str, Any], author: Author) -> Channel:
    """Changes any of `address`, `types`, `quiet_from`, `quiet_to`, `language` and `is_active`. Raises as
    `add_channel`."""
    for attempt in retry.attempts():
        with attempt:
            found = Channel.objects.current().select_for_update(no_key=True).filter(pk=channel_id).first()
            if found is None:
                raise Unknown("channel", channel_id)
            channel = found
            values = dict(changes)
            if "address" in values:
                values["address"] = read_address(Kind(channel.kind), values["address"] or "")
            before = described_of(channel.operator_id)
            store_values(channel, values)
            record_channels(channel.operator_id, before, author)
    return channel


def remove_channel(*, channel_id: int, author: Author) -> None:
    """Nothing is sent there any more; what was sent stays listed. Removing it twice changes nothing."""
    for attempt in retry.attempts():
        with attempt:
            channel = Channel.objects.select_for_update(no_key=True).filter(pk=channel_id).first()
            if channel and not channel.removed_at:
                before = described_of(channel.operator_id)
                remove_channels([channel_id])
                record_channels(channel.operator_id, before, author)


def store_values(channel: Channel, values: Mapping[str, Any]) -> None:
    """Sets these values inside the caller's transaction."""
    address = values.get("address", channel.address)
    if address != channel.address:
        raise_if_not_new(channel, address)
        if channel.kind == Kind.TELEGRAM and address and channel.operator_id:
            raise_if_chat_taken(address, channel.operator_id)
    for name, value in values.items():
        setattr(channel, name, value if value is not None or name not in ("language", "address") else "")
    channel.off_reason = "" if channel.is_active else channel.off_reason
    if (channel.quiet_from is None) != (channel.quiet_to is None) or (
        channel.quiet_from is not None and channel.quiet_from == channel.quiet_to
    ):
        raise Invalid(FieldError("quiet_to", "invalid", quiet_words()))
    channel.save()


def raise_if_not_new(channel: Channel, address: str) -> None:
    same = Channel.objects.current().filter(
        operator=channel.operator_id, user=channel.user_id, kind=channel.kind, address=address
    )
    if same.exclude(pk=channel.pk or 0).exists():
        detail = _("This channel exists already.")
        raise Conflict("channel_exists", detail, (FieldError("address", "channel_exists", detail),))


def described_of(operator_id: int | None) -> list[dict[str, Any]]:
    """The operator's channels for the record of changes. Locks the operator, who may be archived, so that records
    follow each other."""
    if operator_id is None:
        return []
    Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    return describe_channels(Channel.objects.current().filter(operator=operator_id))


def record_channels(operator_id: int | None, before: list[dict[str, Any]], author: Author) -> None:
    """Supervisors' own channels are no configuration of the service."""
    if operator_id is not None:
        after = describe_channels(Channel.objects.current().filter(operator=operator_id))
        record_change(
            "operator.channels", author, before={"channels": before}, after={"channels": after}, operator_id=operator_id
        )


def require_operator(operator_id: int) -> None:
    if not Operator.objects.current().filter(pk=operator_id).exists():
        raise Unknown("operator", operator_id)


def quiet_words() -> str:
    return _("Quiet hours need a beginning and another end.")


def lock_operator(operator_id: int) -> Operator:
    operator = Operator.objects.current().select_for_update(no_key=True).filter(pk=operator_id).first()
    if operator is None:
        raise Unknown("operator", operator_id)
    return operator


def describe_channels(channels: Iterable[Channel]) -> list[dict[str, Any]]:
    """For the record of changes, without secrets."""
    return [
        {
            "kind": channel.kind,
            "address": channel.address or None,
            "types": channel.types,
            "quiet": quiet_shape(channel.quiet_from, channel.quiet_to),
            "is_active": channel.is_active,
        }
        for channel in sorted(channels, key=lambda one: one.pk)
    ]


def quiet_shape(begins: time | None, ends: time | None) -> dict[str, str] | None:
    return {"from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"} if begins and ends else None


def channel_of_chat(chat_id: int) -> Channel | None:
    """The channel of the operator whose chat this is."""
    chats = Channel.objects.current().filter(kind=Kind.TELEGRAM, address=str(chat_id), operator__isnull=False)
    return chats.filter(operator__archived_at__isnull=True).select_related("operator", "operator__user").first()
