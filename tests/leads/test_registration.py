import pytest

from core import events, retry
from core.errors import Busy, Unknown
from core.retry import Lost
from leads import registration
from leads.models import Lead
from operators.models import Operator
from routing import queue, source_actions
from routing.models import Contact, Source
from tests import characters

pytestmark = pytest.mark.django_db


def test_the_drawn_operator_gets_the_contact_and_one_more_load():
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    bot = characters.source(roster={anna: 10, boris: 30})
    assert characters.contact(bot, draw=lambda: 0.2).operator_id == anna.pk
    assert characters.contact(bot, draw=lambda: 0.3).operator_id == boris.pk
    assert (characters.load(anna), characters.load(boris)) == (1, 1)


def test_a_full_operator_is_never_chosen():
    full, free = characters.operator("Full", limit=1), characters.operator("Free", limit=100)
    bot = characters.source(roster={full: 100, free: 1})
    chosen = [characters.contact(bot).operator_id for _ in range(20)]
    assert chosen.count(full.pk) <= 1
    assert set(chosen) <= {full.pk, free.pk}


@pytest.mark.parametrize(
    ("cast", "reason"),
    [
        ([], "no_operators"),
        ([{"is_active": False}], "all_inactive"),
        ([{"limit": 1, "current_load": 1}], "all_full"),
        ([{"is_active": False}, {"limit": 1, "current_load": 1}], "none_available"),
    ],
)
def test_a_contact_that_nobody_can_take_waits_and_says_why(cast, reason):
    bot = characters.source(roster={characters.operator(**fields): 10 for fields in cast})
    waiting = characters.contact(bot)
    assert (waiting.operator_id, waiting.waiting_reason, waiting.status) == (None, reason, "waiting")


def test_the_queue_position_counts_from_one_in_each_source():
    bot, other = characters.source(), characters.source()
    first, _, second = characters.contact(bot), characters.contact(other), characters.contact(bot)
    assert (first.queue_position, second.queue_position) == (1, 2)


def test_an_operator_of_two_sources_has_one_limit():
    anna = characters.operator(limit=1)
    telegram, whatsapp = (characters.source(roster={anna: 10}) for _ in range(2))
    assert characters.contact(telegram).operator_id == anna.pk
    assert characters.contact(whatsapp).operator_id is None


def test_an_unknown_source_is_refused():
    with pytest.raises(Unknown):
        characters.contact(Source(pk=404))


def test_a_closed_source_is_refused():
    bot = characters.source()
    source_actions.archive_source(source_id=bot.pk)
    with pytest.raises(Unknown):
        characters.contact(bot)


def test_a_source_that_this_process_has_seen_open_is_refused_once_it_is_closed():
    bot = characters.source()
    characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    for phone in (characters.somebody_new(), "no phone"):
        with pytest.raises(Unknown):
            characters.contact(bot, lead_phone=phone)


def test_a_source_that_reads_phones_another_way_by_now_is_believed():
    bot = characters.source()
    characters.contact(bot, lead_phone="8 999 123-45-67")
    Source.objects.filter(pk=bot.pk).update(phone_region="US")
    assert characters.contact(bot, lead_phone="(650) 253-0000").lead.phone == "+16502530000"


@pytest.mark.django_db(transaction=True)
def test_who_is_told_to_come_back_has_not_been_renamed_either(monkeypatch):
    """Somebody older waits for the only operator, whose place is hoped for at first, and there is no second time."""
    anna = characters.operator(is_active=False)
    bot = characters.source(roster={anna: 10})
    known = characters.contact(bot, lead_name="Anna")
    Operator.objects.update(is_active=True)
    monkeypatch.setattr(retry, "ATTEMPTS", 1)
    with pytest.raises(Busy):
        characters.contact(bot, lead_phone=known.lead.phone, lead_name="Hanna")
    assert (Contact.objects.get(), Lead.objects.get().name, characters.load(anna)) == (known, "Anna", 0)


def test_a_place_that_is_hoped_for_in_vain_is_a_lost_race(monkeypatch):
    """The newcomer then stands behind the one who waits."""
    anna = characters.operator(is_active=False)
    bot = characters.source(roster={anna: 10})
    older = characters.contact(bot)
    Operator.objects.update(is_active=True)
    monkeypatch.setattr(queue, "serve_operators", lambda *args, **kwargs: 0)
    told = list[object]()
    monkeypatch.setattr(events, "listeners", [told.append])
    newcomer = characters.contact(bot)
    assert (newcomer.status, newcomer.waiting_reason, newcomer.queue_position) == ("waiting", "none_available", 2)
    assert older.pk < newcomer.pk
    assert Lost("overtaken") in told


def test_a_phone_that_only_its_region_can_read_is_read_there():
    """+00 and +011 are no country codes, but ways to dial abroad from some regions, with a plus in front."""
    ukraine, america = characters.source(), characters.source()
    Source.objects.filter(pk=ukraine.pk).update(phone_region="UA")
    Source.objects.filter(pk=america.pk).update(phone_region="US")
    assert characters.contact(ukraine, lead_phone="+00 49 30 123456").lead.phone == "+4930123456"
    assert characters.contact(america, lead_phone="+011 49 30 123456").lead.phone == "+4930123456"


def test_an_unknown_source_is_named_before_a_bad_field():
    with pytest.raises(Unknown):
        registration.register_contact(source_id=404, lead_phone="+7 no number")
