"""What alarms are about, as things are now. Keys are (kind, subject) of an Alarm, values its details for the text."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Subquery

from core.changes.models import Change, Via
from leads import invariants as lead_invariants
from notifications.messenger.models import Alarm, Channel
from notifications.models import Webhook
from operators.models import Operator
from routing import invariants, queue_stats, time_outs
from routing.models import Contact, ContactEvent, RosterEntry, Source, Upkeep
from routing.report import StillCounting, unusual

Conditions = dict[tuple[str, str], dict[str, Any]]


def find_conditions(now: datetime) -> Conditions:
    return find_waiting(now) | find_unserved() | find_full() | find_unanswered() | find_missed() | find_switched_off()


def find_waiting(now: datetime) -> Conditions:
    """Sources in which a contact has been in the queue for more than ALARM_WAIT_MINUTES, since it last came there."""
    minutes = settings.ALARM_WAIT_MINUTES
    if not minutes:
        return {}
    before = now - timedelta(minutes=minutes)
    lately = ContactEvent.objects.filter(contact=OuterRef("pk"), at__gte=before)
    long = Contact.objects.waiting().filter(~Exists(lately), created_at__lt=before)
    with_queue = [one.source_id for one in queue_stats.queue_lengths() if one.oldest_created_at < before]
    sources = Source.objects.in_bulk([pk for pk in with_queue if long.filter(source=pk).exists()])
    return {
        (Alarm.Kind.WAITING.value, str(pk)): {"name": source.name, "number": minutes} for pk, source in sources.items()
    }


def find_unserved() -> Conditions:
    """Open sources that have nobody on duty on their roster."""
    on_duty = RosterEntry.objects.filter(
        source=OuterRef("pk"), operator__is_active=True, operator__archived_at__isnull=True
    )
    sources = Source.objects.current().filter(~Exists(on_duty)).order_by("pk")
    return {(Alarm.Kind.UNSERVED.value, str(source.pk)): {"name": source.name} for source in sources}


def find_full() -> Conditions:
    """Nobody who is on duty has a free place. Nobody on duty at all is another alarm."""
    is_full = Operator.objects.current().filter(is_active=True).exists() and not Operator.objects.free().exists()
    return {(Alarm.Kind.FULL.value, ""): {}} if is_full else {}


def find_unanswered() -> Conditions:
    """Sources with contacts that were offered to everybody, or often enough."""
    unanswered = Contact.objects.waiting().filter(waiting_reason=Contact.Waiting.NOBODY_REACTED)
    grouped = unanswered.order_by().values_list("source", "source__name").annotate(Count("pk"))
    return {
        (Alarm.Kind.NOBODY_REACTED.value, str(pk)): {"name": name, "number": number} for pk, name, number in grouped
    }


def find_missed() -> Conditions:
    """Operators who were taken off duty because they missed too many offers, unless their duty was changed since."""
    changes = Change.objects.filter(operator_id=OuterRef("pk"), after__has_key="is_active").order_by("-pk")
    away = Operator.objects.current().filter(is_active=False)
    missed = away.annotate(why=Subquery(changes.values("reason")[:1]), via=Subquery(changes.values("via")[:1]))
    return {
        (Alarm.Kind.MISSED.value, str(one.pk)): {"name": one.name}
        for one in missed.filter(why=time_outs.MISSED, via=Via.RULE).order_by("pk")
    }


def find_switched_off() -> Conditions:
    """Webhooks and channels that the service has switched off."""
    webhooks = Webhook.objects.filter(is_active=False, disabled_reason__isnull=False)
    channels = Channel.objects.current().filter(is_active=False).exclude(off_reason="")
    found: Conditions = {
        (Alarm.Kind.WEBHOOK_OFF.value, str(one.pk)): {"name": one.url, "reason": str(one.get_disabled_reason_display())}
        for one in webhooks
    }
    return found | {
        (Alarm.Kind.CHANNEL_OFF.value, str(one.pk)): {"name": str(one), "reason": one.off_reason}
        for one in channels.select_related("operator", "user")
    }


def find_unusual(now: datetime) -> Conditions:
    """Sources whose waits have doubled against the usual hour, and operators whose missed offers have. Nothing while
    the past is still being counted."""
    try:
        slow, missing = unusual.slow_sources(now), unusual.missing_operators(now)
    except StillCounting:
        return {}
    found = [(Alarm.Kind.SLOW, one) for one in slow] + [(Alarm.Kind.MISSES, one) for one in missing]
    return {
        (kind.value, str(one.key)): {"name": one.name, "now": one.now, "usual": round(one.usual, 1)}
        for kind, one in found
    }


def find_inconsistencies() -> Conditions:
    """What `check_routing` finds now, or the last nightly `check_routing --deep` has found."""
    nightly = Upkeep.objects.values_list("check_findings", flat=True).first() or 0
    number = max(nightly, len([*invariants.findings(), *lead_invariants.findings()]))
    return {(Alarm.Kind.CHECK.value, ""): {"number": number}} if number else {}
