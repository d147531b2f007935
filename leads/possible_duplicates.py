"""Marks possible duplicates in transactions of their own: those that a refusal or a commit has brought to light."""

import logging
from collections.abc import Iterable, Sequence
from itertools import chain

from core import retry
from core.errors import Busy
from core.retry import LostRace
from leads import lead_lookup, lead_matching
from leads.identities import Claim
from leads.models import PossibleDuplicate

log = logging.getLogger(__name__)


def mark_pair(lead_id: int, other_id: int) -> None:
    """Marks these two leads as a possible duplicate; if they have been merged in between, their survivors.

    Marks nothing if these are one lead by now, or one of them has been erased.
    """
    for attempt in retry.attempts():
        with attempt:
            survivors = lead_lookup.lock_survivors([lead_id, other_id])
            leads = lead_lookup.lock_rows(survivors.values())
            if any(lead.merged_into_id for lead in leads.values()):
                raise LostRace
            if len(leads) == 2 and not any(lead.erased_at for lead in leads.values()):
                lead_matching.mark_duplicates([(survivors[lead_id], survivors[other_id])])


def mark_lookalikes(stored: Iterable[tuple[int, Sequence[Claim]]]) -> None:
    """Marks each lead with the owners of its lookalikes, other spellings of what it has. Called after the commit.

    Two spellings that are registered at the same moment do not see each other before. Whichever commits last sees the
    other here.
    """
    lookalikes = {lead_id: claims for lead_id, claims in stored if claims}
    if not lookalikes:
        return
    owners = lead_matching.find_owners(chain.from_iterable(lookalikes.values()))
    found = ((lead_id, owners.get(claim.key)) for lead_id, claims in lookalikes.items() for claim in claims)
    pairs = {(min(lead_id, owner), max(lead_id, owner)) for lead_id, owner in found if owner not in (None, lead_id)}
    marked = PossibleDuplicate.objects.filter(lead__in={first for first, _ in pairs}).values_list("lead", "other")
    for one, other in sorted(pairs - set(marked)) if pairs else ():
        mark_pair(one, other)


def mark_new_lookalikes(stored: Iterable[tuple[int, Sequence[Claim]]]) -> None:
    """Does the same after a registration, which is stored and answered whatever happens here."""
    try:
        mark_lookalikes(stored)
    except Exception as error:
        level = logging.WARNING if isinstance(error, Busy) else logging.ERROR
        log.log(level, "Possible duplicates were not marked", exc_info=True)
