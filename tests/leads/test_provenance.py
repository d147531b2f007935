"""Who added an identity or a name, through which source and when, is kept."""

import pytest

from leads import batch, erasure, export, lead_editing, merging, registration
from leads.models import Identity
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    return characters.source()


def added(value):
    one = Identity.objects.get(value=value)
    return one.added_by, one.added_through_id


def test_a_registration_names_the_key_and_the_source(bot):
    registration.register_contact(source_id=bot.pk, by="key crm_1", lead_phone="+79990000001")
    assert added("+79990000001") == ("key crm_1", bot.pk)


def test_what_a_known_lead_adds_later_has_its_own_author(bot):
    registration.register_contact(source_id=bot.pk, by="key crm_1", lead_phone="+79990000001")
    site = characters.source()
    registration.register_contact(
        source_id=site.pk, by="key crm_2", lead_phone="+79990000001", lead_email="anna@example.com"
    )
    assert added("+79990000001") == ("key crm_1", bot.pk)
    assert added("anna@example.com") == ("key crm_2", site.pk)


def test_a_batch_names_the_source_of_each_item(bot):
    site = characters.source()
    items = [{"source_id": bot.pk, "lead_phone": "+79990000001"}, {"source_id": site.pk, "lead_email": "a@example.com"}]
    batch.register_contacts(items=items, by="import")
    assert (added("+79990000001"), added("a@example.com")) == (("import", bot.pk), ("import", site.pk))


def test_a_correction_names_the_person(bot):
    lead = characters.contact(bot, lead_phone="+79990000001").lead
    lead_editing.edit_lead(lead_id=lead.pk, changes={"phone": "+79990000002"}, by="user vera")
    assert added("+79990000002") == ("user vera", None)


def test_the_export_tells_it(bot):
    lead = registration.register_contact(source_id=bot.pk, by="key crm_1", lead_phone="+79990000001").lead
    [identity] = export.export_lead(lead_id=lead.pk).identities
    assert (identity.added_by, identity.added_through) == ("key crm_1", bot)


def named(bot, *names, phone="+79990000001"):
    """The lead after contacts with these names, each by a key of its own."""
    for number, name in enumerate(names, 1):
        registration.register_contact(source_id=bot.pk, by=f"key crm_{number}", lead_phone=phone, lead_name=name)
    return Identity.objects.get(value=phone).lead


def name_of(lead):
    lead.refresh_from_db()
    return lead.name, lead.name_added_by, lead.name_added_through_id


def former_names(lead):
    return list(lead.former_names.order_by("pk").values_list("name", "added_by", "added_through", "replaced_by"))


def test_a_name_tells_who_gave_it(bot):
    lead = named(bot, "Anna")
    assert name_of(lead) == ("Anna", "key crm_1", bot.pk)
    assert lead.name_added_at is not None


def test_a_name_that_comes_later_tells_who_gave_it(bot):
    assert name_of(named(bot, None, "Anna")) == ("Anna", "key crm_2", bot.pk)


def test_a_lead_without_a_name_has_nobody_who_gave_it(bot):
    assert name_of(named(bot, None)) == (None, None, None)


def test_a_former_name_keeps_who_gave_it(bot):
    lead = named(bot, "Anna", "Hanna", "Johanna")
    assert former_names(lead) == [
        ("Anna", "key crm_1", bot.pk, "key crm_2"),
        ("Hanna", "key crm_2", bot.pk, "key crm_3"),
    ]


def test_the_names_of_one_batch_keep_who_gave_them(bot):
    lead, site = named(bot, "Anna"), characters.source()
    items = [
        {"source_id": source.pk, "lead_phone": "+79990000001", "lead_name": name}
        for source, name in ((site, "Hanna"), (bot, "Johanna"))
    ]
    batch.register_contacts(items=items, by="import")
    assert former_names(lead) == [
        ("Anna", "key crm_1", bot.pk, "import"),
        ("Hanna", "import", site.pk, "import"),
    ]
    assert name_of(lead) == ("Johanna", "import", bot.pk)


def test_a_corrected_name_tells_the_person(bot):
    lead = named(bot, "Anna")
    lead_editing.edit_lead(lead_id=lead.pk, changes={"name": "Hanna"}, by="user vera")
    assert name_of(lead) == ("Hanna", "user vera", None)
    assert former_names(lead) == [("Anna", "key crm_1", bot.pk, "user vera")]


def test_another_correction_leaves_who_gave_the_name(bot):
    lead = named(bot, "Anna")
    lead_editing.edit_lead(lead_id=lead.pk, changes={"email": "anna@example.com", "name": "Anna"}, by="user vera")
    assert name_of(lead) == ("Anna", "key crm_1", bot.pk)


def test_a_name_that_a_merge_gives_keeps_its_author_and_goes_with_it(bot):
    nameless, anna = named(bot, None), named(bot, "Anna", phone="+79990000002")
    merging.merge_leads(lead_id=nameless.pk, other_id=anna.pk, by="user vera")
    assert name_of(nameless) == ("Anna", "key crm_1", bot.pk)
    merging.unmerge_lead(lead_id=nameless.pk, by="user vera")
    assert name_of(nameless) == (None, None, None)


def test_erasing_forgets_who_gave_the_name(bot):
    lead = named(bot, "Anna")
    erasure.erase_lead(lead_id=lead.pk)
    assert name_of(lead) == (None, None, None)


def test_the_export_tells_who_gave_names(api, bot):
    lead = named(bot, "Anna", "Hanna")
    told = api.get(f"/api/v1/leads/{lead.pk}/export").json()
    assert (told["lead"]["name_added_by"], told["lead"]["name_added_through_source_id"]) == ("key crm_2", bot.pk)
    [former] = told["former_names"]
    assert (former["name"], former["added_by"], former["replaced_by"]) == ("Anna", "key crm_1", "key crm_2")
