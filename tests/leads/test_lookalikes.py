"""Two numbers that may be one subscriber: two leads, marked as a possible duplicate."""

import pytest

from leads import batch, lead_editing
from leads.models import Lead, PossibleDuplicate
from leads.phones import lookalikes_of, read_phone
from tests import characters

PAIRS = [
    ("+5491123456789", "+541123456789"),  # Argentina: mobiles with 9 from abroad
    ("+5511961234567", "+551161234567"),  # Brazil: before and after mobiles got their ninth digit
]


@pytest.mark.parametrize("pair", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_each_is_the_lookalike_of_the_other(pair):
    [other] = lookalikes_of(read_phone(pair[0], "RU"))
    assert other.value == pair[1]


@pytest.mark.parametrize("alone", ["+79991234567", "+551134567890", "+525541637145", "+14155552671"])
def test_other_numbers_have_none(alone):
    assert lookalikes_of(read_phone(alone, "RU")) == []


@pytest.mark.django_db
@pytest.mark.parametrize("pair", PAIRS)
def test_lookalikes_are_two_leads_and_a_possible_duplicate(pair):
    bot = characters.source()
    first, second = (characters.contact(bot, lead_phone=phone).lead_id for phone in pair)
    assert first != second
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == (first, second)


@pytest.mark.django_db
def test_lookalikes_of_one_batch_are_marked():
    bot = characters.source()
    items = [{"source_id": bot.pk, "lead_phone": phone} for phone in PAIRS[0]]
    batch.register_contacts(items=items)
    leads = tuple(Lead.objects.order_by("pk").values_list("pk", flat=True))
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == leads


@pytest.mark.django_db
def test_a_lead_that_has_both_spellings_is_no_duplicate_of_itself():
    bot = characters.source()
    for phone in PAIRS[0]:
        characters.contact(bot, lead_phone=phone, lead_external_id="7")
    assert not PossibleDuplicate.objects.exists()


@pytest.mark.django_db
def test_a_correction_to_a_lookalike_is_marked():
    bot = characters.source()
    first = characters.contact(bot, lead_phone=PAIRS[0][0]).lead_id
    second = characters.contact(bot).lead_id
    lead_editing.edit_lead(lead_id=second, changes={"phone": PAIRS[0][1]})
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == (first, second)
