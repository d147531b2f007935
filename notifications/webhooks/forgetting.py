"""Deletes what is kept of an erased person with deliveries: answers of addresses, which may repeat what was sent."""

from collections.abc import Collection, Iterable

from notifications.event_data import BITS, LAST
from notifications.models import Attempt, Webhook
from routing.models import Contact, ContactEvent

TOGETHER = 500  # rows of history in one statement


def forget_answers(lead_ids: Collection[int]) -> None:
    """Inside the caller's transaction. Deliveries are found by the ids of their events, for which there is an index."""
    rows = ContactEvent.objects.filter(contact__lead__in=lead_ids).order_by("pk").values_list("pk", flat=True)
    webhooks = list(Webhook.objects.order_by("pk").values_list("pk", flat=True))
    keys = list(rows)
    for first in range(0, len(keys), TOGETHER):
        some = keys[first : first + TOGETHER]
        events = [row << BITS | place for row in some for place in range(LAST)]
        for webhook_id in webhooks:
            told = Attempt.objects.filter(delivery__webhook=webhook_id, delivery__event_id__in=events)
            told.exclude(answer="").update(answer="")


def of_erased(contact_ids: Iterable[int | None]) -> set[int]:
    """Those of these contacts whose client's data are erased."""
    wanted = {contact_id for contact_id in contact_ids if contact_id is not None}
    return set(Contact.objects.filter(pk__in=wanted, lead__erased_at__isnull=False).values_list("pk", flat=True))
