"""Rows that refer to one another are stored together with the changes that they depend on, or not at all."""

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db.compiled import Update
from core.db.writes import Change, Row, store
from core.retry import LostRace, NothingWritten
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
    return Row(Identity, lead=lead, kind="phone", value=f"+7999000000{number}", raw="")


def names():
    """The name of the lead behind each phone, in their order."""
    return list(Identity.objects.order_by("value").values_list("lead__name", flat=True))


@pytest.mark.postgresql
def test_all_of_it_is_one_statement_which_query_counters_see(anna):
    lead = Lead(name="Anna")
    with CaptureQueriesContext(connection) as seen:
        store(Change(RENAME, (anna.pk, "Vera")), lead, phone_of(lead))
    assert [query["sql"].split()[0] for query in seen] == ["WITH"]
    assert (Operator.objects.get().name, names()) == ("Vera", ["Anna"])


def test_instances_get_their_ids_and_those_of_what_they_refer_to():
    lead = Lead(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    store(lead, contact)
    assert (lead.pk, contact.pk, contact.lead_id) == (Lead.objects.get().pk, Contact.objects.get().pk, lead.pk)
    assert contact.lead is lead
    assert not contact._state.adding


def test_each_of_several_belongs_to_its_own():
    anna, boris = Lead(name="Anna"), Lead(name="Boris")
    store(anna, boris, phone_of(boris, 1), phone_of(anna, 2), phone_of(boris, 3))
    assert names() == ["Boris", "Anna", "Boris"]


def test_a_row_may_refer_to_what_is_stored_already():
    lead = Lead.objects.create(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    store(phone_of(lead), contact, Row(ContactEvent, contact=contact, what="registered", by="me"))
    assert names() == ["Anna"]
    assert contact.history.values_list("what", "by", "draw").get() == ("registered", "me", None)


def test_an_id_that_has_come_since_the_instance_was_made_is_used():
    lead = Lead(name="Anna")
    contact = Contact(lead=lead, source=characters.source())
    lead.save()
    store(contact)
    assert Contact.objects.get().lead_id == lead.pk


def test_all_of_it_happened_at_one_moment():
    lead = Lead(name="Anna")
    store(lead, phone_of(lead))
    stored = Lead.objects.get()
    assert Identity.objects.get().created_at == stored.created_at == stored.updated_at == lead.created_at


def test_a_value_that_would_be_left_out_of_a_new_row_is_refused(anna):
    contact = Contact(lead=Lead(), source=characters.source(), due_left=1.0)
    with pytest.raises(ValueError, match="due_left"):
        store(contact)


def test_rows_come_in_the_order_in_which_they_were_given():
    """Crossed requests rely on it: they wait for each other, and do not deadlock."""
    lead = Lead(name="Anna")
    store(lead, *(phone_of(lead, number) for number in (3, 1, 2)))
    found = Identity.objects.order_by("pk").values_list("value", flat=True)
    assert [value[-1] for value in found] == ["3", "1", "2"]


@pytest.mark.parametrize("rows", [lambda lead: [phone_of(lead)], lambda lead: [phone_of(lead), lead]])
def test_nothing_refers_to_what_is_not_stored_before_it(rows):
    with pytest.raises(ValueError, match="not stored"):
        store(*rows(Lead(name="Anna")))
    with pytest.raises(ValueError, match="not stored"):
        store(Contact(lead=Lead(), source=characters.source()))
    assert names() == []


def test_if_one_is_refused_none_is_stored():
    first, second = Lead(name="Anna"), Lead(name="Boris")
    with pytest.raises(IntegrityError), transaction.atomic():
        store(first, phone_of(first), second, phone_of(second))
    assert (Lead.objects.count(), names()) == (0, [])


def test_without_the_row_that_a_change_requires_nothing_is_stored(anna):
    Operator.objects.update(is_active=False)
    lead = Lead(name="Anna")
    with pytest.raises(NothingWritten), transaction.atomic():
        store(Change(RENAME, (anna.pk, "Vera"), comes_first=True), lead, phone_of(lead))
    assert (Operator.objects.get().name, Lead.objects.count(), names()) == ("Anna", 0, [])


def test_a_change_that_finds_nothing_takes_back_what_was_written_before(anna):
    def take_off_duty_and_rename():
        with transaction.atomic():
            Operator.objects.update(is_active=False)
            store(Change(RENAME, (anna.pk, "Vera")))

    with pytest.raises(LostRace) as lost:
        take_off_duty_and_rename()
    assert not isinstance(lost.value, NothingWritten)
    assert Operator.objects.get().is_active


def test_a_later_change_that_finds_nothing_takes_everything_back(anna):
    boris = characters.operator("Boris", is_active=False)
    lead = Lead(name="Anna")
    with pytest.raises(LostRace) as lost, transaction.atomic():
        store(Change(RENAME, (anna.pk, "Vera")), Change(RENAME, (boris.pk, "Gleb")), lead)
    assert not isinstance(lost.value, NothingWritten)
    assert set(Operator.objects.values_list("name", flat=True)) == {"Anna", "Boris"}
    assert not Lead.objects.exists()


def test_a_change_may_find_several_rows(anna):
    characters.operator("Boris")
    everybody = Update(lambda load: (Operator.objects.all(), {"current_load": load}))
    store(Change(everybody, (3,)), Row(Lead, name="Ivan"))
    assert set(Operator.objects.values_list("current_load", flat=True)) == {3}
    assert Lead.objects.count() == 1


def test_a_change_that_is_not_required_may_find_nothing(anna):
    store(Change(RENAME, (anna.pk + 1, "Vera"), is_required=False), Lead(name="Boris"))
    assert Lead.objects.get().name == "Boris"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.none() | texts,
    message=st.none() | texts,
    fingerprint=st.none() | st.binary(min_size=16, max_size=16),
    draw=st.none() | st.floats(0, 1, exclude_max=True),
    evidence=st.none() | st.binary(max_size=60),
    is_assigned=st.booleans(),
)
def test_rows_are_those_that_the_orm_stores(anna, name, message, fingerprint, draw, evidence, is_assigned):
    """Of the fast way and the plain one on this database; both databases run it against the same plain way."""
    source = characters.source()
    operator_id = anna.pk if is_assigned else None

    def instances():
        lead = Lead(name=name)
        contact = Contact(
            lead=lead, source=source, operator_id=operator_id, message=message, idempotency_fingerprint=fingerprint
        )
        return lead, contact

    def event(contact):
        return {"contact": contact, "what": "registered", "by": "me", "draw": draw, "evidence": evidence}

    fast = instances()
    store(*fast, Row(ContactEvent, **event(fast[1])))
    plain = instances()
    for instance in plain:
        instance.save(force_insert=True)
    ContactEvent.objects.create(**event(plain[1]))
    for one, other in zip([*fast, *Contact.objects.filter(pk=fast[1].pk)], [*plain, plain[1]], strict=True):
        assert stored(one) == stored(other)
    assert stored(fast[1].history.get()) == stored(plain[1].history.get())


def stored(instance: models.Model) -> dict[str, object]:
    """What the database has of it, without ids, moments and the number of the transaction."""
    row = type(instance)._default_manager.get(pk=instance.pk)
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    unlike = {"id", "lead_id", "contact_id", "created_at", "updated_at", "at", "transaction"}
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in values.items()
        if name not in unlike
    }
