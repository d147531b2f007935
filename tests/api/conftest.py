from typing import Any

import pytest

from leads import merging
from leads.models import PossibleDuplicate
from routing import lifecycle
from tests import characters


@pytest.fixture
def cast(db: None) -> dict[str, int]:
    """The numbers of: Anna, who serves the bot with Boris; one contact of hers and one resolved; a lead that may be its
    twin, and one that survived a merge."""
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    contact, twins, resolved, merged = (characters.contact(bot) for _ in range(4))
    lifecycle.resolve_contact(contact_id=resolved.pk)
    merging.merge_leads(lead_id=resolved.lead_id, other_id=merged.lead_id)
    bot.roster.create(operator=characters.operator("Boris"), weight=10)
    pair = PossibleDuplicate.objects.create(lead_id=contact.lead_id, other_id=twins.lead_id)
    return {
        "anna": anna.pk,
        "bot": bot.pk,
        "contact": contact.pk,
        "resolved": resolved.pk,
        "lead": contact.lead_id,
        "twin": twins.lead_id,
        "survivor": resolved.lead_id,
        "pair": pair.pk,
    }


def filled_in(body: Any, cast: dict[str, int]) -> Any:
    """A body in which names stand for numbers of the cast."""
    if isinstance(body, list):
        return [filled_in(one, cast) for one in body]
    if isinstance(body, dict):
        return {name: filled_in(value, cast) for name, value in body.items()}
    return cast.get(body, body) if isinstance(body, str) else body
