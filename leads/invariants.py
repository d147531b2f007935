"""Invariants of leads that hold between transactions; `check_routing` checks them and repairs what it can."""

from collections.abc import Iterator

from django.db.models import F, Q

from core import retry
from leads import lead_lookup
from leads.models import Identity, PossibleDuplicate
from routing.invariants import SHOWN
from routing.models import Contact


def findings() -> Iterator[str]:
    """Yields a sentence for each violated invariant of leads."""
    yield from stranded()
    yield from erased_pairs()
    yield from stray_copies()
    yield from mismarked()


def stranded() -> Iterator[str]:
    """Contacts and identities that a merged lead still has although they belong to its survivor."""
    for contact in Contact.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} belongs to lead {contact.lead_id}, which is merged into another."
    for identity in Identity.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Identity {identity.pk} belongs to lead {identity.lead_id}, which is merged into another."


def erased_pairs() -> Iterator[str]:
    """Possible duplicates of an erased lead: they still say who else the person may be."""
    for pair in PossibleDuplicate.objects.erased().order_by("pk")[:SHOWN]:
        yield f"Pair {pair.pk} names leads {pair.lead_id} and {pair.other_id}, one of which has been erased."


def stray_copies() -> Iterator[str]:
    """Copies of an identity that is not shared, not unique itself, or another one."""
    alike = Q(copy_of__kind=F("kind"), copy_of__value=F("value")) & (
        Q(copy_of__source=F("source")) | Q(copy_of__source__isnull=True, source__isnull=True)
    )
    right = alike & Q(copy_of__is_shared=True, copy_of__copy_of__isnull=True)
    for identity in Identity.objects.filter(copy_of__isnull=False).exclude(right).order_by("pk")[:SHOWN]:
        yield f"Identity {identity.pk} is a copy of identity {identity.copy_of_id}, which does not fit it."


def mismarked() -> Iterator[str]:
    """Possible duplicates whose `is_merged` does not match their leads."""
    for pair in PossibleDuplicate.objects.mismarked().order_by("pk")[:SHOWN]:
        state = "merged" if pair.is_merged else "undecided"
        yield f"Pair {pair.pk} is marked as {state}, which leads {pair.lead_id} and {pair.other_id} are not."


def mend_pairs() -> tuple[int, int]:
    """Deletes possible duplicates of erased leads and corrects the marks of others. Returns how many of each.

    Locks both leads of each pair, as everybody does who writes one, and reads the pairs again under the lock.
    """
    for attempt in retry.attempts():
        with attempt:
            wrong = [*PossibleDuplicate.objects.erased(), *PossibleDuplicate.objects.mismarked()]
            lead_lookup.lock_rows({lead_id for pair in wrong for lead_id in (pair.lead_id, pair.other_id)})
            locked = PossibleDuplicate.objects.filter(pk__in=[pair.pk for pair in wrong])
            deleted, _ = locked.erased().delete()
            mismarked = list(locked.mismarked().values_list("pk", flat=True))
            PossibleDuplicate.objects.filter(pk__in=mismarked).settle()
    return deleted, len(mismarked)
