"""The cards of the desk: open contacts of one operator in the order of urgency, and what was done today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Left
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from core.admin import formatting
from leads import warnings
from leads.admin import lead_formatting
from leads.models import Identity
from operators.models import Operator
from routing import explanation
from routing.models import Contact

EARLIER = 4  # contacts of the same client, shown on a card
WAYS = 6  # to reach the client
BEGINNING = 280  # characters of a message that a card shows before it is unfolded
LONGEST = 4_000  # characters of a message on a card; the page of the contact has all of it
DONE = 50  # contacts of today
RECENT = 1_000  # contacts that are looked through for those that were resolved today
MINUTE = timedelta(minutes=1)


def open_cards(operator: Operator) -> list["Card"]:
    """The operator's open contacts: first those whose time runs out, then those that are not taken, the oldest first,
    then the taken ones, those with the latest news first."""
    now = timezone.now()
    contacts = Contact.objects.open().filter(operator=operator)
    return sorted((Card(contact, operator, now) for contact in complete(contacts)), key=lambda card: card.urgency)


def done_cards(operator: Operator) -> list["Card"]:
    """What was resolved today, the latest first, of the RECENT newest contacts of the operator."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    recent = Contact.objects.filter(operator=operator).order_by("-pk").values_list("pk", "resolved_at")[:RECENT]
    done = {pk: at for pk, at in recent if at and at >= midnight}
    newest = sorted(done, key=lambda pk: done[pk], reverse=True)[:DONE]
    cards = [Card(contact, operator, now) for contact in complete(Contact.objects.filter(pk__in=newest))]
    return sorted(cards, key=lambda card: done[card.contact.pk], reverse=True)


def complete(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """With everything that a card shows, in a fixed number of queries."""
    of_client = Contact.objects.select_related("source").defer("message").order_by("-pk")
    latest = of_client.annotate(beginning=formatting.beginning_of("message"))[: EARLIER + 1]
    return (
        contacts.select_related("lead", "source")
        .defer("message")
        .annotate(words=Left("message", LONGEST + 1))
        .prefetch_related("lead__identities__source", "notes", Prefetch("lead__contacts", latest, to_attr="latest"))
    )


@dataclass(frozen=True)
class Card:
    """One contact as its operator sees it."""

    contact: Any  # a Contact out of `complete`
    operator: Operator
    now: datetime

    @property
    def urgency(self) -> tuple[int, float]:
        contact = self.contact
        if contact.is_untaken:
            return (0, contact.due_at.timestamp()) if contact.due_at else (1, contact.assigned_at.timestamp())
        return 2, -self.last_activity.timestamp()

    @cached_property
    def last_activity(self) -> datetime:
        contact = self.contact
        moments = [contact.assigned_at, contact.accepted_at, contact.first_reaction_at, contact.created_at]
        return max(moment for moment in [*moments, *(note.at for note in contact.notes.all())] if moment)

    @property
    def client(self) -> str:
        return str(self.contact.lead)

    @cached_property
    def state(self) -> str:
        """For its colour: overdue, due, untaken or taken; or resolved."""
        if not self.contact.is_untaken:
            return "resolved" if self.contact.is_resolved else "taken"
        if self.contact.due_at is None:
            return "untaken"
        return "overdue" if self.contact.due_at <= self.now else "due"

    @property
    def state_text(self) -> SafeString | str:
        contact = self.contact
        if self.state == "resolved":
            return _("Resolved at %(time)s") % {"time": formatting.format_time(contact.resolved_at)}
        if self.state == "taken":
            return _("Taken at %(time)s") % {"time": formatting.format_time(contact.accepted_at)}
        if contact.due_left is not None:
            return _("Not taken yet: its time stands still while you are off duty")
        if contact.due_at is None:
            return _("Not taken yet")
        words = _("Overdue for %(time)s") if self.state == "overdue" else _("Take it within %(time)s")
        return with_elapsed(words, contact.due_at, self.now)

    @property
    def due_text(self) -> str:
        """The due moment, such as "take by 14:32"; empty if no clock runs."""
        return explanation.due_text(self.contact)

    @property
    def age(self) -> SafeString:
        return with_elapsed(_("%(time)s ago"), self.contact.created_at, self.now)

    @property
    def is_older(self) -> bool:
        """Whether it came some time before it was given to this operator."""
        assigned_at = self.contact.assigned_at
        return bool(assigned_at and assigned_at - self.contact.created_at > MINUTE)

    @property
    def held(self) -> SafeString:
        return formatting.elapsed(self.contact.assigned_at, self.now)

    @cached_property
    def ways(self) -> list[dict[str, str]]:
        """How to reach the client: `text`, and `link` where a phone or a program can follow it."""
        known = sorted(self.contact.lead.identities.all(), key=lambda one: (one.kind == one.Kind.EXTERNAL, one.rank))
        return [{"text": lead_formatting.display_identity(one), "link": link_of(one)} for one in known[:WAYS]]

    @cached_property
    def message(self) -> str:
        return str(self.contact.words or "")[:LONGEST]

    @property
    def is_cut(self) -> bool:
        return len(self.contact.words or "") > LONGEST

    @cached_property
    def beginning(self) -> str:
        """What is shown of a long message until it is unfolded."""
        return Truncator(self.message).chars(BEGINNING)

    @property
    def is_long(self) -> bool:
        return self.beginning != self.message

    @property
    def warnings(self) -> list[str]:
        return [one.detail for one in warnings.list_warnings(self.contact)]

    @property
    def notes(self) -> list[dict[str, Any]]:
        return [
            {"text": note.text, "by": explanation.author_text(note.by), "at": formatting.format_time(note.at)}
            for note in self.contact.notes.all()
        ]

    @cached_property
    def earlier(self) -> list[dict[str, str]]:
        """The other latest contacts of this client: when, where, what became of them; the words of own ones only."""
        others = [one for one in self.contact.lead.latest if one.pk != self.contact.pk][:EARLIER]
        return [
            {
                "at": formatting.format_datetime(one.created_at),
                "source": str(one.source),
                "state": self.state_of(one),
                "words": formatting.excerpt(one.beginning) if one.beginning and self.is_own(one) else "",
            }
            for one in others
        ]

    def is_own(self, other: Contact) -> bool:
        return other.operator_id == self.operator.pk

    def state_of(self, other: Contact) -> str:
        if other.is_resolved:
            return str(other.status.label)
        if other.operator_id is None:
            return _("waits in the queue")
        return _("open, with you") if self.is_own(other) else _("open, with a colleague")


def count_untaken(cards: Iterable[Card]) -> int:
    return sum(card.contact.is_untaken for card in cards)


def link_of(one: Identity) -> str:
    if one.kind == one.Kind.PHONE:
        return f"tel:{one.value}"
    return f"mailto:{quote(one.value, safe='@')}" if one.kind == one.Kind.EMAIL else ""


def with_elapsed(words: str, at: datetime, now: datetime) -> SafeString:
    """The words, in which %(time)s becomes how long it is since or until then."""
    return mark_safe(conditional_escape(words) % {"time": formatting.elapsed(at, now)})
