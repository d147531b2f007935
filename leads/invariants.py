"""Invariants of leads that hold between transactions; `check_routing` checks them and repairs what it can."""

from collections.abc import Iterator

from django.db import transaction

from leads.models import Identity, PossibleDuplicate
from routing.invariants import SHOWN
from routing.models import Contact


def findings() -> Iterator[str]:
    """Yields a sentence for each violated invariant of leads."""
    yield from stranded()
    yield from mismarked()


def stranded() -> Iterator[str]:
    """Contacts and identities that a merged lead still has although they belong to its survivor."""
    for contact in Contact.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} belongs to lead {contact.lead_id}, which is merged into another."
    for identity in Identity.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Identity {identity.pk} belongs to lead {identity.lead_id}, which is merged into another."


def mismarked() -> Iterator[str]:
    """Possible duplicates whose `is_merged` does not match their leads."""
    for pair in PossibleDuplicate.objects.mismarked().order_by("pk")[:SHOWN]:
        state = "merged" if pair.is_merged else "undecided"
        yield f"Pair {pair.pk} is marked as {state}, which leads {pair.lead_id} and {pair.other_id} are not."


def mend_marks() -> int:
    """Corrects `is_merged` of possible duplicates, locked as in `merging.settle_pairs`. Returns how many were wrong."""
    with transaction.atomic():
        wrong = PossibleDuplicate.objects.mismarked().order_by("pk").select_for_update(no_key=True, of=["self"])
        pks = list(wrong.values_list("pk", flat=True))
        PossibleDuplicate.objects.filter(pk__in=pks).settle()
    return len(pks)
