"""A contact that was given by hand and declined while a drain was between its draw and its lock."""

from threading import Thread

import pytest
from django.db import connections

from operators.models import Operator
from routing import assignment, lifecycle, queue, taking
from routing.models import Contact
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_a_drain_does_not_offer_again_what_was_declined_meanwhile(monkeypatch):
    only = characters.operator("Only", limit=1)
    source = characters.source(roster={only: 10})
    Operator.objects.filter(pk=only.pk).update(is_active=False)
    contact = characters.contact(source)
    Operator.objects.filter(pk=only.pk).update(is_active=True)
    decide, times = assignment.decide, []

    def give_and_decline():
        lifecycle.give_contact(contact_id=contact.pk, operator_id=only.pk)
        taking.decline_contact(contact_id=contact.pk)
        connections.close_all()

    def decide_slowly(*args, **kwargs):
        decision = decide(*args, **kwargs)
        times.append(decision.chosen)
        if len(times) == 1:
            other = Thread(target=give_and_decline)
            other.start()
            other.join(30)
        return decision

    monkeypatch.setattr(assignment, "decide", decide_slowly)
    queue.serve_operator(only.pk)
    assert Contact.objects.get(pk=contact.pk).operator_id is None
