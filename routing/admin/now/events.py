"""What has happened last, in sentences: to contacts, and to the configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin import formatting
from core.changes.models import Change
from routing import explanation
from routing.admin import change_sentences
from routing.admin.changes import visible_changes
from routing.models import ContactEvent

SHOWN = 30


@dataclass(frozen=True, slots=True)
class Line:
    """`subject` is what the link to `url` says, `sentence` what has happened to it."""

    at: datetime
    subject: str
    sentence: str
    url: str

    @property
    def clock(self) -> str:
        return formatting.format_time(self.at)


def last_events(may: Callable[[str], bool]) -> list[Line]:
    """The newest first. `may` says whether the user has a permission. In five statements at most."""
    lines = contact_lines() if may("routing.view_contact") else []
    lines += change_lines(may) if may("changes.view_change") else []
    return sorted(lines, key=lambda line: line.at, reverse=True)[:SHOWN]


def contact_lines() -> list[Line]:
    events = ContactEvent.objects.select_related("from_operator", "to_operator").defer("evidence").order_by("-pk")
    return [
        Line(
            event.at,
            _("Contact %(id)s") % {"id": event.contact_id},
            explanation.event_text(event),
            reverse("admin:routing_contact_change", args=[event.contact_id]),
        )
        for event in events[:SHOWN]
    ]


def change_lines(may: Callable[[str], bool]) -> list[Line]:
    changes: list[Change] = list(visible_changes(may)[:SHOWN])
    names = change_sentences.read_names(changes)
    return [
        Line(
            change.at,
            change_sentences.subject_text(change, names),
            change_sentence(change, names),
            reverse("admin:changes_change_changelist"),
        )
        for change in changes
    ]


def change_sentence(change: Change, names: change_sentences.Names) -> str:
    done = change_sentences.action_text(change, names)
    done = _("Reverted. %(sentence)s") % {"sentence": done} if change.reverts_id else done
    return _("%(sentence)s (%(author)s)") % {"sentence": done, "author": explanation.author_text(change.by)}
