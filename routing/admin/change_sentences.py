"""Changes of configuration as sentences, in the active language: "Anna: limit 10 → 3"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from core.admin import formatting, weekly_forms
from core.changes.models import Change
from operators.models import Operator
from routing.models import Source

MODELS = {
    "operator": "operators.operator",
    "source": "routing.source",
    "user": "auth.user",
    "role": "auth.group",
    "webhook": "notifications.webhook",
}
DONE = {
    "operator.created": pgettext_lazy("change of an operator", "created"),
    "operator.archived": pgettext_lazy("change of an operator", "moved to the archive"),
    "operator.restored": pgettext_lazy("change of an operator", "restored from the archive"),
    "operator.handed_over": gettext_lazy("off duty, all contacts handed over"),
    "operator.resumed": gettext_lazy("pause ended"),
    "source.created": pgettext_lazy("change of a source", "created"),
    "source.archived": pgettext_lazy("change of a source", "moved to the archive"),
    "source.restored": pgettext_lazy("change of a source", "restored from the archive"),
    "key.created": pgettext_lazy("change of a key", "created"),
    "key.revoked": pgettext_lazy("change of a key", "revoked"),
    "user.created": pgettext_lazy("change of a user", "created"),
    "user.deleted": pgettext_lazy("change of a user", "deleted"),
    "user.password_reset": gettext_lazy("new password set"),
    "user.password_link": gettext_lazy("one-time link for a new password made"),
    "invitation.created": pgettext_lazy("change of an invitation", "sent"),
    "invitation.renewed": gettext_lazy("another link made"),
    "invitation.withdrawn": pgettext_lazy("change of an invitation", "withdrawn"),
    "user.second_factor_reset": gettext_lazy("two-factor sign-in reset"),
    "webhook.created": pgettext_lazy("change of a webhook", "created"),
    "webhook.deleted": pgettext_lazy("change of a webhook", "deleted"),
    "webhook.secret_rotated": gettext_lazy("new secret, the old one signs for a while"),
    "role.created": pgettext_lazy("change of a role", "created"),
    "role.deleted": pgettext_lazy("change of a role", "deleted"),
}
ABSENCES = {
    "operator.absence_added": gettext_lazy("absence %(absence)s added"),
    "operator.absence_cancelled": gettext_lazy("absence %(absence)s cancelled"),
}
KINDS = {
    "key": gettext_lazy("key %(name)s"),
    "user": gettext_lazy("user %(name)s"),
    "role": gettext_lazy("role %(name)s"),
    "invitation": gettext_lazy("invitation of %(name)s"),
    "webhook": gettext_lazy("webhook %(name)s"),
}
LABELS = {
    "channels": gettext_lazy("channels"),
    "expires_at": gettext_lazy("expires at"),
    "permissions": gettext_lazy("permissions"),
    "roles": gettext_lazy("roles"),
    "time_zone": gettext_lazy("time zone"),
    "weekly": gettext_lazy("weekly hours"),
    "successor": gettext_lazy("new key"),
}


@dataclass(slots=True)
class Names:
    """The present names of the operators, sources and accounts that changes are about, by id."""

    operators: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    accounts: Mapping[int, str] = field(default_factory=dict)


def read_names(changes: Iterable[Change]) -> Names:
    """In three statements at most, however many changes."""
    listed = list(changes)
    operators = {one.operator_id for one in listed if one.operator_id}
    operators |= {int(pk) for one in listed if one.what == "roster.changed" for pk in one.after}
    sources = {one.source_id for one in listed if one.source_id}
    accounts = {pk for one in listed for pk in (one.before.get("user_id"), one.after.get("user_id")) if pk}
    return Names(
        dict(Operator.objects.filter(pk__in=operators).values_list("pk", "name")) if operators else {},
        dict(Source.objects.filter(pk__in=sources).values_list("pk", "name")) if sources else {},
        dict(get_user_model().objects.filter(pk__in=accounts).values_list("pk", "username")) if accounts else {},
    )


def change_text(change: Change, names: Names) -> str:
    """What was changed and how, as one sentence without its author."""
    said = _("%(subject)s: %(changes)s") % {
        "subject": subject_text(change, names),
        "changes": action_text(change, names),
    }
    return _("Reverted. %(sentence)s") % {"sentence": said} if change.reverts_id else said


def action_text(change: Change, names: Names) -> str:
    """What was changed and how, without its subject and author."""
    return ", ".join(what_happened(change, names)) or change.what


def subject_text(change: Change, names: Names) -> str:
    kind = change.what.partition(".")[0]
    if kind == "roster" and change.source_id:
        source = names.sources.get(change.source_id, f"#{change.source_id}")
        return _("%(source)s, roster") % {"source": source}
    if kind in KINDS:
        return str(KINDS[kind]) % {"name": change.subject}
    if change.operator_id:
        return names.operators.get(change.operator_id, f"#{change.operator_id}")
    return names.sources.get(change.source_id or 0, change.subject or f"#{change.source_id}")


def what_happened(change: Change, names: Names) -> list[str]:
    if change.what in DONE:
        return [str(DONE[change.what])]
    if change.what == "operator.paused":
        return [_("paused until %(moment)s") % {"moment": moment_text(change.after["paused_until"])}]
    if change.what in ABSENCES:
        return [str(ABSENCES[change.what]) % {"absence": absence_text(change.after or change.before)}]
    if change.what == "roster.changed":
        members = sorted((names.operators.get(int(pk), f"#{pk}"), pk) for pk in change.after)
        return [weight_text(name, change.before.get(pk), change.after[pk]) for name, pk in members]
    return [field_text(change, name, names) for name in in_order_of_page(change)]


def in_order_of_page(change: Change) -> list[str]:
    """The changed fields in the order of the model, others after them: PostgreSQL keeps no order."""
    label = MODELS.get(change.what.partition(".")[0])
    order = [known.attname for known in apps.get_model(label)._meta.concrete_fields] if label else []
    places = {name: place for place, name in enumerate(order)}
    return sorted({**change.before, **change.after}, key=lambda name: (places.get(name, len(places)), name))


def weight_text(name: str, before: int | None, after: int | None) -> str:
    """ "Anna 10 → 20", "+ Boris 5", "− Vera"."""
    if after is None:
        return f"− {name}"
    return f"+ {name} {after}" if before is None else f"{name} {before} → {after}"


def field_text(change: Change, name: str, names: Names) -> str:
    before, after = change.before.get(name), change.after.get(name)
    if change.what.startswith("operator.") and name == "is_active":
        return pgettext("change of an operator", "on duty") if after else pgettext("change of an operator", "off duty")
    if isinstance(before, list) or isinstance(after, list):
        return f"{label_of(change, name)} {difference_text(before or [], after or [])}"
    shown = [value_text(change, name, value, names) for value in (before, after)]
    return f"{label_of(change, name)} {shown[0]} → {shown[1]}"


def difference_text(before: list[Any], after: list[Any]) -> str:
    """ "+ Supervisor, − Operator"."""
    added = [f"+ {text}" for text in item_texts([one for one in after if one not in before])]
    return ", ".join(added + [f"− {text}" for text in item_texts([one for one in before if one not in after])])


def item_texts(items: list[Any]) -> list[str]:
    """A text for each item; of weekly hours one for all days with the same: "Mon, Tue 09:00–18:00"."""
    if all(isinstance(one, dict) and "weekday" in one for one in items):
        return weekly_forms.lines_of(items)
    return [item_text(one) for one in items]


def item_text(item: Any) -> str:
    """The name of a role or permission; of a channel "email anna@example.com (contact.assigned, quiet 22:00–08:00)"."""
    if not isinstance(item, dict):
        return str(item)
    details = [str(one) for one in item.get("types") or []]
    if quiet := item.get("quiet"):
        details.append(_("quiet %(begin)s–%(end)s") % {"begin": quiet["from"], "end": quiet["to"]})
    if not item.get("is_active", True):
        details.append(pgettext("channel", "off"))
    name = " ".join(str(item[key]) for key in ("kind", "address") if item.get(key))
    return f"{name} ({', '.join(details)})" if details else name


def absence_text(values: Mapping[str, Any]) -> str:
    """ "28.12.2026 09:00 – 11.01.2027 09:00 (Holiday)"."""
    period = f"{moment_text(values['from'])} – {moment_text(values['to'])}"
    return f"{period} ({values['absence_reason']})" if values["absence_reason"] else period


def moment_text(stored: str) -> str:
    moment = parse_datetime(stored)
    return formatting.format_datetime(moment) if moment else stored


def label_of(change: Change, name: str) -> str:
    known = field_of(change, name)
    return str(known.verbose_name if known else LABELS.get(name, name))


def value_text(change: Change, name: str, value: Any, names: Names) -> str:
    if value is None or value == "":
        return formatting.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "user_id":
        return names.accounts.get(value, f"#{value}")
    if name.endswith("_at") and isinstance(value, str) and (moment := parse_datetime(value)):
        return formatting.format_datetime(moment)
    known = field_of(change, name)
    choices = dict(known.flatchoices) if known else {}
    text = str(choices.get(value, value))
    return _("“%(text)s”") % {"text": text} if isinstance(value, str) else text


def field_of(change: Change, name: str) -> "Field[Any, Any] | None":
    """The field of the model that was changed; None if there is none of this name, as for other versions' changes."""
    label = MODELS.get(change.what.partition(".")[0])
    if label is None:
        return None
    model: type[Model] = apps.get_model(label)
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, Field) else None
