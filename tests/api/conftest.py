from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.changes.models import Change
from leads import merging
from leads.models import PossibleDuplicate
from notifications.messenger import telegram
from notifications.messenger.models import MessengerState
from notifications.models import Webhook
from notifications.webhooks.signing import make_secret
from routing import duty_edges, lifecycle
from routing.models import WhatIf
from tests import characters


@pytest.fixture
def cast(db: None, settings: Any) -> dict[str, int]:
    """The numbers of: Anna, who serves the bot with Boris; one contact of hers and one resolved; a lead that may be its
    twin, and one that survived a merge; an absence of Anna that begins tomorrow; a webhook to a private address; the
    change that put Anna on the roster; a what-if."""
    settings.TELEGRAM_BOT_TOKEN = "1:bot"  # whose name is known
    MessengerState.objects.create(pk=1, username="bot", token_digest=telegram.token_digest())
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    contact, twins, resolved, merged = (characters.contact(bot) for _ in range(4))
    lifecycle.resolve_contact(contact_id=resolved.pk)
    merging.merge_leads(lead_id=resolved.lead_id, other_id=merged.lead_id)
    bot.roster.create(operator=characters.operator("Boris"), weight=10)
    pair = PossibleDuplicate.objects.create(lead_id=contact.lead_id, other_id=twins.lead_id)
    start = timezone.now() + timedelta(days=1)
    absence = duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(days=1))
    return {
        "absence": absence.pk,
        "anna": anna.pk,
        "bot": bot.pk,
        "contact": contact.pk,
        "resolved": resolved.pk,
        "lead": contact.lead_id,
        "twin": twins.lead_id,
        "survivor": resolved.lead_id,
        "identity": contact.lead.identities.get().pk,
        "spare": resolved.lead.identities.create(kind="email", value="spare@example.com", raw="spare@example.com").pk,
        "pair": pair.pk,
        "webhook": Webhook.objects.create(url="http://127.0.0.1:9/", secret=make_secret()).pk,
        "change": Change.objects.of_configuration().get(what="roster.changed").pk,
        "what_if": WhatIf.objects.create(asked={}).pk,
    }


def filled_in(body: Any, cast: dict[str, int]) -> Any:
    """A body in which names stand for numbers of the cast."""
    if isinstance(body, list):
        return [filled_in(one, cast) for one in body]
    if isinstance(body, dict):
        return {name: filled_in(value, cast) for name, value in body.items()}
    return cast.get(body, body) if isinstance(body, str) else body
