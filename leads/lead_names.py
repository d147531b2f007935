"""The names of leads: who has given them, and the names that were replaced, which stay with the lead."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from leads.models import FormerName, Lead

FIELDS = ["name", "name_added_by", "name_added_through", "name_added_at"]
NO_NAME: dict[str, Any] = dict.fromkeys(FIELDS)


def give_name(lead: Lead, name: str | None, *, by: str, through: int | None = None) -> None:
    """Sets the name on the instance, and who has given it; `through` is the id of the source of a contact."""
    lead.name = name
    lead.name_added_by = by if name else None
    lead.name_added_through_id = through if name else None
    lead.name_added_at = timezone.now() if name else None


def copy_name(lead: Lead, other: Lead) -> None:
    """Sets the other lead's name on the instance, with the author who has given it there."""
    lead.name, lead.name_added_by, lead.name_added_at = other.name, other.name_added_by, other.name_added_at
    lead.name_added_through_id = other.name_added_through_id


def stored_name(lead: Lead) -> dict[str, Any]:
    """The values of FIELDS, for an update."""
    return {
        "name": lead.name,
        "name_added_by": lead.name_added_by,
        "name_added_through": lead.name_added_through_id,
        "name_added_at": lead.name_added_at,
    }


def former_name(lead: Lead) -> FormerName:
    """The present name as a former one, to be recorded. Who has given it is read then, if it is not loaded."""
    former = FormerName(lead=lead, name=lead.name or "")
    if "name_added_at" not in lead.get_deferred_fields():
        former.added_by, former.added_at = lead.name_added_by, lead.name_added_at
        former.added_through_id = lead.name_added_through_id
    return former


def record_former_names(former: Sequence[FormerName], *, by: str) -> None:
    """Stores these names as replaced now, before the new ones are stored. `by` names the author.

    The caller has locked the leads' identities, or has just created the leads.
    """
    if not former:
        return
    unknown = [one.lead.pk for one in former if one.added_at is None]
    givers = Lead.objects.filter(pk__in=unknown).in_bulk() if unknown else {}
    now = timezone.now()
    for one in former:
        if one.added_at is None and one.lead.pk in givers:
            giver = givers[one.lead.pk]
            one.added_by, one.added_at = giver.name_added_by, giver.name_added_at
            one.added_through_id = giver.name_added_through_id
        one.replaced_at, one.replaced_by = now, by
    last = {(one.lead.pk, one.name): one for one in former}
    FormerName.objects.bulk_create(
        [last[key] for key in sorted(last)],
        update_conflicts=True,
        unique_fields=["lead", "name"],
        update_fields=["added_by", "added_through", "added_at", "replaced_at", "replaced_by"],
    )
