"""A phone that somebody types for a lead is read as the lead's own source reads it."""

import pytest

from leads import lead_editing, search
from leads.models import Lead
from routing.models import PhoneFormat
from tests import characters
from tests.admin import pages

pytestmark = pytest.mark.django_db


def source(**fields):
    made = characters.source()
    for name, value in fields.items():
        setattr(made, name, value)
    made.save()
    return made


@pytest.fixture
def germany():
    return source(phone_region="DE")


@pytest.fixture
def hans(germany):
    return characters.contact(germany, lead_phone=None, lead_external_id="hans").lead


def test_a_domestic_number_is_one_of_the_source_through_which_the_lead_came(api, hans):
    answer = api.patch(f"/api/v1/leads/{hans.pk}", {"phone": "030 1234567"})
    assert answer.json()["phone"] == "+49301234567"


def test_of_several_sources_the_last_one_counts(api, hans):
    phone = {"phone": "8 999 123-45-67"}
    lead_editing.edit_lead(lead_id=hans.pk, changes={"email": "hans@example.com"})
    characters.contact(source(phone_region="RU"), lead_phone=None, lead_email="hans@example.com")
    assert api.patch(f"/api/v1/leads/{hans.pk}", phone).json()["phone"] == "+79991234567"


def test_a_source_with_whole_numbers_reads_them_whole(api):
    whatsapp = source(phone_format=PhoneFormat.INTERNATIONAL)
    lead_id = characters.contact(whatsapp, lead_phone="4915123456789").lead_id
    assert api.patch(f"/api/v1/leads/{lead_id}", {"phone": "4930123456"}).json()["phone"] == "+4930123456"
    found = api.get("/api/v1/leads", {"phone": "4930123456"}).json()["results"]
    assert [lead["id"] for lead in found] == [lead_id]


def test_the_page_reads_it_in_the_same_way(client, django_user_model, hans):
    client.force_login(django_user_model.objects.create_superuser("vera"))
    data = pages.filled(client.get(pages.page(hans))) | {"phone": "030 1234567"}
    client.post(pages.page(hans), data)
    assert Lead.objects.get(pk=hans.pk).phone == "+49301234567"


def test_a_filter_asks_every_region(api, hans, germany):
    characters.contact(germany, lead_phone="030 1234567", lead_external_id="hans")
    found = api.get("/api/v1/leads", {"phone": "030 1234567"}).json()["results"]
    assert [lead["id"] for lead in found] == [hans.pk]


def test_a_shared_phone_finds_all_who_have_it():
    bot, phone = characters.source(), "+79990000001"
    first = characters.contact(bot, lead_phone=phone).lead
    first.identities.update(is_shared=True)
    second = characters.contact(bot, lead_phone=phone).lead
    assert set(Lead.objects.filter(search.leads_with_phone(phone))) == {first, second}
