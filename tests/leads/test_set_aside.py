"""One bad field does not cost a client: it is set aside, with a warning that stays with the contact."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Invalid, Unknown
from leads import batch, contact_editing, erasure
from leads.models import Identity
from routing.models import Contact, Source
from tests import characters

PHONE, EMAIL = "+79991234567", "anna@example.com"


@pytest.fixture
def bot(db):
    return characters.source()


@pytest.fixture
def keeping(bot):
    """A source whose bot was written for a service that took any text as phone."""
    Source.objects.filter(pk=bot.pk).update(unreadable_phones="keep")
    return bot


def told(contact):
    stored = Contact.objects.get(pk=contact.pk)
    return [(one["field"], one["code"], one["text"]) for one in stored.warnings or []]


def values(contact):
    return sorted(Identity.objects.filter(lead=contact.lead_id).values_list("kind", "value"))


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("lead_email", "ivan@"),
        ("lead_email", "x" * 300),
        ("lead_external_id", "x" * 201),
        ("lead_external_id", "3.80501E+11"),
    ],
)
def test_what_cannot_be_read_beside_a_phone_is_set_aside(bot, field, bad):
    contact = characters.contact(bot, lead_phone=PHONE, **{field: bad})
    assert told(contact) == [(field, "unreadable", bad[:254])]
    assert values(contact) == [("phone", PHONE)]


@pytest.mark.parametrize("bad", ["12", "call me", "4951234567/68", "9" * 51, "380501234567.5"])
def test_a_phone_that_cannot_be_one_is_set_aside_beside_an_email(bot, bad):
    contact = characters.contact(bot, lead_phone=bad, lead_email=EMAIL)
    assert told(contact) == [("lead_phone", "unreadable", bad)]
    assert values(contact) == [("email", EMAIL)]


def test_nothing_wrong_is_nothing_stored(bot):
    assert characters.contact(bot).warnings is None


def test_a_phone_alone_that_cannot_be_one_is_refused(bot):
    with pytest.raises(Invalid) as refusal:
        characters.contact(bot, lead_phone="call me")
    assert [(error.field, error.code) for error in refusal.value.errors] == [("lead_phone", "invalid")]
    assert not Contact.objects.exists()


def test_a_source_may_keep_it_as_an_id_in_its_channel(keeping):
    first, again = (characters.contact(keeping, lead_phone=text) for text in ("user 17", " user 17"))
    assert values(first) == [("external", "user 17")]
    assert first.lead_id == again.lead_id
    assert told(first) == [("lead_phone", "unreadable", "user 17")]


def test_such_a_source_reads_phones_that_can_be_read(keeping):
    assert values(characters.contact(keeping, lead_phone="8 999 123-45-67")) == [("phone", PHONE)]


def test_such_a_source_sets_the_phone_aside_beside_another_identity(keeping):
    assert values(characters.contact(keeping, lead_phone="user 17", lead_email=EMAIL)) == [("email", EMAIL)]


def test_such_a_source_still_needs_somebody(keeping):
    for nobody in ({"lead_phone": "undefined"}, {"lead_phone": " "}, {"lead_phone": None, "lead_email": "ivan@"}):
        with pytest.raises(Invalid):
            characters.contact(keeping, **nobody)


def test_an_unknown_source_comes_first(db):
    with pytest.raises(Unknown):
        characters.contact(Source(pk=404), lead_phone="call me")


PLACEHOLDERS = [
    *("null", "NULL", "undefined", "None", "NaN", "nan", " [object Object] "),
    *("{{ phone }}", "{{phone}}", "${user.phone}", "tg-{{ id }}"),
]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
@pytest.mark.parametrize("field", ["lead_email", "lead_external_id"])
def test_a_placeholder_is_nobody(bot, field, placeholder):
    contact = characters.contact(bot, lead_phone=PHONE, **{field: placeholder})
    assert values(contact) == [("phone", PHONE)]
    assert told(contact) == [(field, "placeholder", placeholder)]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_alone_is_no_identity_given(bot, placeholder):
    with pytest.raises(Invalid) as refusal:
        characters.contact(bot, lead_phone=None, lead_external_id=placeholder)
    assert [error.code for error in refusal.value.errors] == ["required"] * 3


@pytest.mark.parametrize("whole", ["Null", "nobody", "{1}", "$5", "none@example.com", "undefined-7"])
def test_what_only_looks_like_one_is_an_identity(bot, whole):
    contact = characters.contact(bot, lead_phone=None, lead_external_id=f"id {whole}")
    assert told(contact) == []


@pytest.mark.parametrize("placeholder", ["null", "undefined", "{{ name }}", "${name}", "\u200b", "\0", "\ud800"])
def test_what_names_nobody_replaces_no_name(bot, placeholder):
    characters.contact(bot, lead_phone=PHONE, lead_name="Иван Петров")
    assert characters.contact(bot, lead_phone=PHONE, lead_name=placeholder).lead.name == "Иван Петров"


@pytest.mark.parametrize("name", ["Null", "Nan", "Ваня"])
def test_people_may_be_called_so(bot, name):
    assert characters.contact(bot, lead_name=name).lead.name == name


@pytest.mark.parametrize("bad", ["\0", "\ud83d"])
def test_what_no_database_stores_is_replaced_in_message_and_name(bot, bad):
    contact = characters.contact(bot, lead_name=f"Ан{bad}на", message=f"a{bad}b")
    contact = Contact.objects.get(pk=contact.pk)
    assert (contact.message, contact.lead.name) == ("a\ufffdb", "Ан\ufffdна")
    assert told(contact) == [("lead_name", "replaced", ""), ("message", "replaced", "")]


@pytest.mark.parametrize("field", ["lead_phone", "lead_email", "lead_external_id"])
@pytest.mark.parametrize("bad", ["\0", "\ud83d"])
def test_in_an_identity_it_is_refused_even_beside_another(bot, field, bad):
    given = {"lead_phone": PHONE, "lead_email": EMAIL} | {field: f"7{bad}"}
    with pytest.raises(Invalid) as refusal:
        characters.contact(bot, **given)
    assert [error.field for error in refusal.value.errors] == [field]


def test_a_message_that_is_too_long_is_cut(bot):
    contact = characters.contact(bot, message="я" * 65_537)
    assert contact.message == "я" * 65_536
    assert told(contact) == [("message", "cut", "")]
    assert told(characters.contact(bot, message="я" * 65_536)) == []


def test_a_corrected_message_is_read_the_same_way_and_keeps_other_warnings(bot):
    contact = characters.contact(bot, lead_phone="call me", lead_email=EMAIL, message="a\0b")
    contact_editing.edit_contact(contact_id=contact.pk, changes={"message": "я" * 65_537})
    assert [code for _, code, _ in told(contact)] == ["unreadable", "cut"]
    contact_editing.edit_contact(contact_id=contact.pk, changes={"message": "ab"})
    assert [code for _, code, _ in told(contact)] == ["unreadable"]


def test_erasing_forgets_what_was_set_aside(bot):
    contact = characters.contact(bot, lead_phone="call me", lead_email=EMAIL)
    erasure.erase_lead(lead_id=contact.lead_id)
    assert told(contact) == []


def test_the_same_request_again_tells_the_same_warnings(bot):
    asked = {"lead_phone": "call me", "lead_email": EMAIL, "idempotency_key": "k"}
    first, again = (characters.contact(bot, **asked) for _ in range(2))
    assert again.is_replay
    assert first.warnings == again.warnings != None  # noqa: E711 # neither is None


def test_a_batch_reads_the_same_way(keeping):
    items = [
        {"lead_phone": "call me", "lead_email": EMAIL},
        {"lead_phone": "call me"},
        {"lead_phone": PHONE, "message": "a\0b"},
        {"lead_phone": PHONE},
        {"lead_email": "ivan@"},
    ]
    *contacts, refused = batch.register_contacts(items=[{"source_id": keeping.pk, **item} for item in items])
    assert [[code for _, code, _ in told(contact)] for contact in contacts] == [
        ["unreadable"],
        ["unreadable"],
        ["replaced"],
        [],
    ]
    assert isinstance(refused, Invalid)


TEXTS = st.none() | st.text(st.characters(), max_size=60) | st.sampled_from(["null", "12", PHONE, EMAIL, "{{a}}"])


FIELDS = ("lead_phone", "lead_email", "lead_external_id", "lead_name", "message")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXTS)))
def test_any_texts_are_a_contact_or_refused_in_words(bot, asked):
    try:
        contact = characters.contact(bot, **asked)
    except Invalid as refusal:
        str(refusal).encode()
        return
    stored = Contact.objects.get(pk=contact.pk)
    assert stored.warnings == contact.warnings
    assert stored.lead.identities.exists()
    assert (stored.message is None) == (asked["message"] is None)


def test_no_name_is_taken_from_an_email_that_is_set_aside(bot):
    contact = characters.contact(bot, lead_phone=PHONE, lead_email=f"{'x' * 300} <ivan@example.com>")
    assert (contact.lead.name, [code for _, code, _ in told(contact)]) == (None, ["unreadable"])
