"""A row of history that this version cannot read hides nothing else: a newer one wrote it, or it is damaged."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from routing import candidate_codec, history, tallies
from routing.models import Contact, ContactEvent, Tally
from tests import characters
from tests.admin import pages

pytestmark = pytest.mark.django_db

MEMBER = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # the id of an operator
DAMAGES = {
    "nothing": {"evidence": b""},
    "a newer format": {"evidence": b"\x63" + 40 * b"\x01"},
    "cut off": {"evidence": b"\x01" + MEMBER},
    "a weight of zero": {"evidence": b"\x01" + MEMBER + 13 * b"\x00"},
    "an unknown obstacle": {"evidence": b"\x01" + MEMBER + b"\x01\x01\x00\x01\x63" + 8 * b"\x00"},
    "an unknown operator": {"evidence": b"\x01" + 8 * b"\x07" + b"\x01\x01\x00\x01\x00" + 8 * b"\x00"},
    "a progress that is no number": {
        "evidence": b"\x01" + MEMBER + b"\x01\x01\x00\x01\x00" + 6 * b"\x00" + b"\xf8\x7f"
    },
    "a newer strategy": {"strategy": "by_the_moon"},
    "a newer event": {"what": "forgotten"},
    "a newer reason": {"reason": "full_moon"},
}


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture(params=DAMAGES.values(), ids=list(DAMAGES))
def damaged(request, bot):
    """A contact whose only row of history is damaged, between two others."""
    _, contact, _ = (characters.contact(bot) for _ in range(3))
    contact.history.update(**request.param)
    return contact


def an_hour_later():
    return timezone.now() + timedelta(hours=2)


def test_the_tally_goes_on(damaged, anna, bot):
    tallies.tally_hours(now=an_hour_later())
    characters.contact(bot)
    [tally] = Tally.objects.all()
    assert (tally.operator, 2 <= tally.assigned <= 3) == (anna, True)


def test_the_distribution_counts_the_others(damaged, anna, api):
    [share] = api.get("/api/v1/stats/distribution").json()
    assert (share["operator_id"], 2 <= share["assigned"] <= 3) == (anna.pk, True)


@pytest.mark.parametrize("path", ["contacts/{}", "contacts/{}/decision", "contacts/{}/history", "leads/{}/export"])
def test_the_api_answers(damaged, api, path):
    answer = api.get(f"/api/v1/{path.format(damaged.lead_id if 'leads' in path else damaged.pk)}")
    assert answer.status_code == 200
    json.dumps(answer.json())


@pytest.mark.once
def test_the_pages_open(damaged, client):
    client.force_login(User.objects.create_superuser("vera"))
    for page in (pages.page(damaged), pages.page(damaged.lead), pages.listing(Contact), "/admin/queue/"):
        assert client.get(page).status_code == 200


def test_who_has_the_contact_is_still_said(bot, anna, api):
    contact = characters.contact(bot)
    contact.history.update(evidence=b"\x63")
    decision = api.get(f"/api/v1/contacts/{contact.pk}/decision").json()
    assert decision["text"] == "Anna was chosen. The evidence of this decision cannot be read."
    assert (decision["chosen"], decision["candidates"]) == (anna.pk, [])


@pytest.fixture
def decided(bot):
    """A contact that went to Anna, and the decision about it."""
    contact = characters.contact(bot)
    return contact, history.stored_decision(contact.history.get())


def test_a_first_draw_that_cannot_be_read_hides_nothing_else(decided, api):
    contact, decision = decided
    damaged = replace(decision, candidates=[one._replace(progress=float("nan")) for one in decision.candidates])
    contact.history.update(evidence=candidate_codec.pack_first_draw(damaged, decision.candidates))
    answer = api.get(f"/api/v1/contacts/{contact.pk}/decision").json()
    assert answer["text"] == "Anna was chosen. The evidence of this decision cannot be read."


def test_an_unknown_operator_of_a_first_draw_is_named_by_id(decided, api):
    contact, decision = decided
    unknown = replace(decision, chosen=4242)
    contact.history.update(evidence=candidate_codec.pack_first_draw(unknown, decision.candidates))
    answer = api.get(f"/api/v1/contacts/{contact.pk}/decision").json()
    assert "#4242 had been drawn first" in answer["text"]


def test_why_a_contact_waits_is_still_said(bot, api):
    contact = characters.contact(characters.source())
    contact.history.update(evidence=b"\x63")
    decision = api.get(f"/api/v1/contacts/{contact.pk}/decision").json()
    assert decision["text"].startswith("Not assigned: ")
    assert decision["text"].endswith(" The evidence of this decision cannot be read.")


def test_an_event_of_a_newer_version_is_named_as_it_is_stored(bot, api):
    contact = characters.contact(bot)
    contact.history.update(what="forgotten", by="key Office")
    [event] = api.get(f"/api/v1/contacts/{contact.pk}/history").json()
    assert (event["what"], event["text"]) == ("forgotten", "forgotten, by key Office.")


def test_a_contact_without_history_is_explained_as_far_as_it_is_known(bot, api):
    contact = characters.contact(bot)
    ContactEvent.objects.all().delete()
    decision = api.get(f"/api/v1/contacts/{contact.pk}/decision").json()
    assert (decision["strategy"], decision["chosen"]) == ("unknown", contact.operator_id)


def test_verify_decisions_lists_what_cannot_be_read(bot):
    contact = characters.contact(bot)
    contact.history.update(evidence=b"\x63")
    with pytest.raises(CommandError, match=f"Contact {contact.pk}, event .*: cannot be read"):
        call_command("verify_decisions")
