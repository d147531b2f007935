"""New rows that refer to one another are stored together, or none of them, and only provided that ..."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.db import inserts
from core.db.compiled import Update
from core.db.inserts import New, NothingStored, Provided
from leads.models import Identity, Lead
from operators.models import Operator
from routing.models import Contact, ContactEvent
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)

RENAME = Update(lambda pk, name: (Operator.objects.filter(pk=pk, is_active=True), {"name": name}))


@pytest.fixture
def anna():
    return characters.operator("Anna")


def phone_of(lead, number=1):
    return New(Identity, {"lead_id": lead}, kind="phone", value=f"+7999000000{number}", raw="")


def names():
    """The name of the lead behind each phone, in their order."""
    return list(Identity.objects.order_by("value").values_list("lead__name", flat=True))


@pytest.mark.postgresql
def test_all_of_it_is_one_statement_that_goes_with_the_commit(turns):
    lead = Lead(name="Anna")
    with transaction.atomic():
        inserts.later(lead, phone_of(lead))
        assert not turns
    assert (turns, names()) == ([2], ["Anna"])


def test_instances_get_their_ids_and_those_of_what_they_refer_to():
    lead = Lead(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    inserts.store(lead, contact)
    assert (lead.pk, contact.pk, contact.lead_id) == (Lead.objects.get().pk, Contact.objects.get().pk, lead.pk)
    assert contact.lead is lead
    assert not contact._state.adding


def test_each_of_several_belongs_to_its_own():
    anna, boris = Lead(name="Anna"), Lead(name="Boris")
    inserts.store(anna, boris, phone_of(boris, 1), phone_of(anna, 2), phone_of(boris, 3))
    assert names() == ["Boris", "Anna", "Boris"]


def test_what_is_stored_already_may_be_referred_to_as_well():
    lead = Lead.objects.create(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    inserts.store(phone_of(lead), contact, New(ContactEvent, {"contact_id": contact}, what="registered", by="me"))
    assert names() == ["Anna"]
    assert contact.history.values_list("what", "by", "draw").get() == ("registered", "me", None)


def test_an_id_that_has_come_since_the_instance_was_made_is_used():
    lead = Lead(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    lead.save()
    inserts.store(contact)
    assert Contact.objects.get().lead_id == lead.pk


def test_what_is_not_named_is_what_an_instance_would_have():
    lead = Lead.objects.create()
    inserts.store(phone_of(lead, 1))
    Identity.objects.create(lead=lead, kind="phone", value="+79990000002", raw="")
    new, made = (vars(identity) for identity in Identity.objects.order_by("value"))
    assert {name for name in new if new[name] != made[name]} == {"_state", "id", "value", "created_at"}
    assert abs(made["created_at"] - new["created_at"]).total_seconds() < 60


def test_all_of_it_happened_at_one_moment():
    lead = Lead(name="Anna")
    inserts.store(lead, phone_of(lead))
    stored = Lead.objects.get()
    assert Identity.objects.get().created_at == stored.created_at == stored.updated_at == lead.created_at


def test_rows_come_in_the_order_in_which_they_were_given():
    """Crossed requests rely on it: they wait for each other, and do not deadlock."""
    lead = Lead(name="Anna")
    inserts.store(lead, *(phone_of(lead, number) for number in (3, 1, 2)))
    found = Identity.objects.order_by("pk").values_list("value", flat=True)
    assert [value[-1] for value in found] == ["3", "1", "2"]


@pytest.mark.parametrize("rows", [lambda lead: [phone_of(lead)], lambda lead: [phone_of(lead), lead]])
def test_nothing_refers_to_what_is_not_stored_before_it(rows):
    with pytest.raises(ValueError, match="not stored"):
        inserts.store(*rows(Lead(name="Anna")))
    with pytest.raises(ValueError, match="not stored"):
        inserts.store(Contact(lead=Lead(), source=characters.source()))
    assert names() == []


def test_if_one_is_refused_none_is_stored():
    first, second = Lead(name="Anna"), Lead(name="Boris")
    with pytest.raises(IntegrityError), transaction.atomic():
        inserts.store(first, phone_of(first), second, phone_of(second))
    assert (Lead.objects.count(), names()) == (0, [])


def test_what_is_provided_happens_with_it(anna):
    lead = Lead(name="Anna")
    inserts.store(lead, phone_of(lead), provided=Provided(RENAME, (anna.pk, "Vera")))
    assert (Operator.objects.get().name, names()) == ("Vera", ["Anna"])


def test_what_is_provided_and_not_so_lets_nothing_happen(anna):
    Operator.objects.update(is_active=False)
    lead = Lead(name="Anna")
    with pytest.raises(NothingStored), transaction.atomic():
        inserts.later(lead, phone_of(lead), provided=Provided(RENAME, (anna.pk, "Vera")))
    assert (Operator.objects.get().name, Lead.objects.count(), names()) == ("Anna", 0, [])
    assert Operator.objects.count() == 1  # the connection is as good as before


@pytest.mark.postgresql
def test_nothing_stored_in_a_savepoint_takes_back_only_that(anna):
    Operator.objects.update(is_active=False)
    with transaction.atomic():
        Lead.objects.create(name="Boris")
        with pytest.raises(NothingStored), transaction.atomic():
            inserts.later(Lead(name="Anna"), provided=Provided(RENAME, (anna.pk, "Vera")))
    assert Lead.objects.get().name == "Boris"


@pytest.mark.postgresql
def test_an_ordinary_query_in_between_brings_the_ids_or_tells_that_nothing_was_stored(anna):
    lead = Lead(name="Anna")
    with transaction.atomic():
        inserts.later(lead)
        assert Lead.objects.get().pk == lead.pk
    with transaction.atomic():
        inserts.later(Lead(name="Boris"), provided=Provided(RENAME, (anna.pk + 1, "Vera")))
        with pytest.raises(NothingStored):
            Lead.objects.update(name="never done")
        transaction.set_rollback(True)
    assert Lead.objects.get().name == "Anna"


@pytest.mark.postgresql
def test_who_watches_sees_the_one_statement(anna):
    lead = Lead(name="Anna")
    with CaptureQueriesContext(connection) as seen:
        inserts.store(lead, phone_of(lead), provided=Provided(RENAME, (anna.pk, "Vera")))
    assert [query["sql"].split()[0] for query in seen] == ["WITH"]
    assert (Operator.objects.get().name, names()) == ("Vera", ["Anna"])


def test_texts_and_bytes_arrive_as_they_are(anna):
    contact = Contact(lead=Lead.objects.create(), source=characters.source(), message='100% "%s" $1\n\\')
    evidence = bytes(range(256))
    inserts.store(contact, New(ContactEvent, {"contact_id": contact}, what="registered", by="'", evidence=evidence))
    assert Contact.objects.get().message == contact.message
    assert bytes(ContactEvent.objects.get().evidence or b"") == evidence
