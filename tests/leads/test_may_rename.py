"""`may_rename` of a source: whether its names replace those of known leads."""

import pytest

from leads import batch, registration
from leads.models import FormerName, Lead
from routing.models import Source
from tests import characters

pytestmark = pytest.mark.django_db

ANNA = "+79990000001"


def register_one(source, **fields):
    return registration.register_contact(source_id=source.pk, **fields)


def register_in_a_batch(source, **fields):
    [contact] = batch.register_contacts(items=[{"source_id": source.pk, **fields}])
    return contact


@pytest.fixture(params=[register_one, register_in_a_batch])
def register(request):
    return request.param


@pytest.fixture
def trusted():
    return characters.source()


@pytest.fixture
def foreign():
    """A partner's bot, which must not change what others know."""
    return Source.objects.create(name="Partner", may_rename=False)


def test_by_default_the_last_name_counts(register, trusted):
    register(trusted, lead_phone=ANNA, lead_name="Anna")
    register(trusted, lead_phone=ANNA, lead_name="Anna Petrova")
    assert Lead.objects.get().name == "Anna Petrova"


def test_a_source_that_may_not_rename_leaves_the_name(register, trusted, foreign):
    known = register(trusted, lead_phone=ANNA, lead_name="Anna")
    contact = register(foreign, lead_phone=ANNA, lead_name="Nobody")
    assert contact.lead_id == known.lead_id
    assert Lead.objects.get().name == "Anna"
    assert not FormerName.objects.exists()


def test_it_leaves_also_the_name_that_it_has_given_itself(register, foreign):
    register(foreign, lead_phone=ANNA, lead_name="Anna")
    register(foreign, lead_phone=ANNA, lead_name="Nobody")
    assert Lead.objects.get().name == "Anna"


def test_it_fills_an_empty_name_and_names_new_leads(register, trusted, foreign):
    register(trusted, lead_phone=ANNA)
    register(foreign, lead_phone=ANNA, lead_name="Anna")
    register(foreign, lead_phone="+79990000002", lead_name="Boris")
    assert list(Lead.objects.order_by("pk").values_list("name", flat=True)) == ["Anna", "Boris"]


def test_each_item_of_a_batch_follows_its_source(trusted, foreign):
    names = [(trusted, "Anna"), (foreign, "Nobody"), (trusted, "Anna Petrova"), (foreign, "Nobody")]
    batch.register_contacts(
        items=[{"source_id": source.pk, "lead_phone": ANNA, "lead_name": name} for source, name in names]
    )
    assert Lead.objects.get().name == "Anna Petrova"
    assert list(FormerName.objects.values_list("name", flat=True)) == ["Anna"]


def test_the_api_sets_it(api, trusted):
    made = api.post("/api/v1/sources", {"name": "Partner", "may_rename": False}).json()
    assert (made["may_rename"], api.get(f"/api/v1/sources/{trusted.pk}").json()["may_rename"]) == (False, True)
    changed = api.patch(f"/api/v1/sources/{made['id']}", {"may_rename": True}).json()
    assert changed["may_rename"] is True
    assert Source.objects.get(pk=made["id"]).may_rename is True
