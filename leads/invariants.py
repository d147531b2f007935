"""What must be true whenever nothing is in progress; `check_routing` proves it and mends what can be mended."""

from collections.abc import Iterator

from django.db import transaction

from leads.models import Identity, PossibleDuplicate
from routing.invariants import SHOWN
from routing.models import Contact


def findings() -> Iterator[str]:
    """Everything about leads that is not as it must be, in words."""
    yield from stranded()
    yield from mismarked()


def stranded() -> Iterator[str]:
    """Contacts and identities of a lead that has been merged into another: they belong to the survivor."""
    for contact in Contact.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} belongs to lead {contact.lead_id}, which is merged into another."
    for identity in Identity.objects.filter(lead__merged_into__isnull=False).order_by("pk")[:SHOWN]:
        yield f"Identity {identity.pk} belongs to lead {identity.lead_id}, which is merged into another."


def mismarked() -> Iterator[str]:
    """Possible duplicates that would be listed though they are decided, or the other way round."""
    for pair in PossibleDuplicate.objects.mismarked().order_by("pk")[:SHOWN]:
        state = "merged" if pair.is_merged else "undecided"
        yield f"Pair {pair.pk} is marked as {state}, which leads {pair.lead_id} and {pair.other_id} are not."


def mend_marks() -> int:
    """Marks possible duplicates as what they are, locked as in `merging.settle_pairs`. Returns how many were wrong."""
    with transaction.atomic():
        wrong = PossibleDuplicate.objects.mismarked().order_by("pk").select_for_update(no_key=True, of=["self"])
        pks = list(wrong.values_list("pk", flat=True))
        PossibleDuplicate.objects.filter(pk__in=pks).settle()
    return len(pks)
