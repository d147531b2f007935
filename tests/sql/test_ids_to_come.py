"""A row may refer to one that waits to be stored: the database takes the id that it gives to that one."""

import pytest
from django.db import connection, transaction

from leads.models import Identity, Lead
from sql import inserts

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

STORE_LEADS, STORE_IDENTITIES = inserts.Insert(Lead), inserts.Insert(Identity)


def phone_of(lead, number=1):
    return Identity(lead=lead, kind=Identity.Kind.PHONE, value=f"+7999000000{number}", raw="")


def names():
    """The name of the lead behind each phone, in their order."""
    return list(Identity.objects.order_by("value").values_list("lead__name", flat=True))


def test_both_are_stored_in_one_turn(turns):
    anna = Lead(name="Anna")
    with transaction.atomic():
        STORE_LEADS.later(anna)
        STORE_IDENTITIES.later(phone_of(anna))
        assert not turns
    assert (turns, names()) == ([3], ["Anna"])
    assert anna == Lead.objects.get()


def test_each_of_several_belongs_to_its_own():
    anna, boris = Lead(name="Anna"), Lead(name="Boris")
    with transaction.atomic():
        STORE_LEADS.later(anna, boris)
        STORE_IDENTITIES.later(phone_of(anna, 1), phone_of(boris, 2))
    assert names() == ["Anna", "Boris"]


def test_the_last_one_may_be_referred_to_while_others_wait(turns):
    anna, boris = Lead(name="Anna"), Lead(name="Boris")
    with transaction.atomic():
        STORE_LEADS.later(anna, boris)
        STORE_IDENTITIES.later(phone_of(boris))
    assert (turns, names()) == ([4], ["Boris"])


def test_many_that_are_stored_by_one_statement_may_refer_to_what_waits():
    anna = Lead(name="Anna")
    with transaction.atomic():
        STORE_LEADS.later(anna)
        STORE_IDENTITIES.later(*(phone_of(anna, number) for number in range(inserts.FEW + 1)))
    assert names() == ["Anna"] * (inserts.FEW + 1)


def test_an_ordinary_query_in_between_brings_the_id():
    anna = Lead(name="Anna")
    with transaction.atomic():
        STORE_LEADS.later(anna)
        assert Lead.objects.get().pk == anna.pk
        STORE_IDENTITIES.later(phone_of(anna))
    assert names() == ["Anna"]


def test_nothing_refers_to_what_was_never_asked_for():
    with transaction.atomic(), pytest.raises(ValueError, match="not stored"):
        STORE_IDENTITIES.later(phone_of(Lead(name="Anna")))


def test_nothing_refers_to_what_was_rolled_back():
    """The sequence still knows the id of somebody else."""
    STORE_LEADS(Lead(name="Boris"))
    anna = Lead(name="Anna")
    with transaction.atomic():
        STORE_LEADS.later(anna)
        transaction.set_rollback(True)
    with transaction.atomic(), pytest.raises(ValueError, match="not stored"):
        STORE_IDENTITIES.later(phone_of(anna))
    assert names() == []


def test_where_statements_go_one_by_one_the_id_is_there_at_once(monkeypatch):
    monkeypatch.setattr(connection, "can_converse", lambda: False)
    connection.close()
    anna = Lead(name="Anna")
    with transaction.atomic():
        STORE_LEADS.later(anna)
        assert anna.pk
        STORE_IDENTITIES.later(phone_of(anna))
    assert names() == ["Anna"]
