"""A new contact is one message in the operator's chat, which is edited when the state changes, whoever changed it."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone, translation

from leads import erasure
from notifications.messenger.models import Notice
from routing import lifecycle, operator_actions, taking, time_outs
from routing.models import Contact, Source
from tests import characters
from tests.notifications.messenger.courier import labels, last_message, link

ANNA, BORIS = 1001, 1002


@pytest.fixture
def anna(courier):
    operator = characters.operator("Anna")
    link(courier.server, operator, ANNA)
    return operator


@pytest.fixture
def boris(courier):
    operator = characters.operator("Boris")
    link(courier.server, operator, BORIS)
    return operator


@pytest.fixture
def bot(anna):
    return characters.source("Bot", roster={anna: 10})


def arrive(bot, **fields):
    told = {"lead_phone": "+79991234567", "lead_name": "Ivan <b>", "message": "Hello & goodbye"}
    return characters.contact(bot, **told | fields)


def test_a_message_says_who_writes_what_from_where(courier, bot):
    contact = arrive(bot)
    courier.deliver()
    text = last_message(courier.server, ANNA)["text"]
    assert f"<b>New contact {contact.pk}</b>" in text
    assert "Source: Bot" in text
    assert "Ivan &lt;b&gt;, +79991234567" in text
    assert "Hello &amp; goodbye" in text


@pytest.mark.parametrize("sign", ["&", "🎉", "e\u0336\u0337"], ids=["escaped", "of two units", "crossed out"])
def test_the_longest_message_fits(courier, bot, sign):
    arrive(bot, message=sign * 65_536)
    courier.deliver()
    assert Notice.objects.get().state == "sent"


def test_without_personal_data_only_number_and_source_are_sent(courier, bot, settings):
    settings.NOTIFY_PERSONAL_DATA = False
    arrive(bot)
    courier.deliver()
    text = last_message(courier.server, ANNA)["text"]
    assert "Source: Bot" in text
    assert not any(word in text for word in ("Ivan", "+7999", "Hello"))


def test_a_russian_operator_gets_russian(courier, bot, anna):
    anna.channels.update(language="ru")
    arrive(bot)
    courier.deliver()
    with translation.override("ru"):
        assert labels(last_message(courier.server, ANNA))[0] == translation.gettext("Take")


def test_the_message_is_edited_when_somebody_else_gets_the_contact(courier, bot, anna, boris):
    contact = arrive(bot)
    courier.deliver()
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    courier.deliver()
    [message] = courier.server.messages(ANNA)
    assert "Boris has it" in message["text"]
    assert "Ivan" not in message["text"]
    assert labels(message) == []
    assert labels(last_message(courier.server, BORIS))


def test_the_message_is_edited_when_it_is_taken_and_done_elsewhere(courier, bot):
    contact = arrive(bot)
    courier.deliver()
    taking.accept_contact(contact_id=contact.pk)
    courier.deliver()
    assert labels(last_message(courier.server, ANNA)) == ["Done", "Cannot"]
    lifecycle.resolve_contact(contact_id=contact.pk)
    courier.deliver()
    assert "done" in last_message(courier.server, ANNA)["text"]
    assert len(courier.server.messages(ANNA)) == 1


def test_a_contact_that_comes_back_is_a_new_message(courier, bot, anna, boris):
    contact = arrive(bot)
    courier.deliver()
    for operator in (boris, anna):
        lifecycle.give_contact(contact_id=contact.pk, operator_id=operator.pk)
    courier.deliver()
    assert len(courier.server.messages(ANNA)) == 2


def test_what_is_no_longer_true_is_not_sent(courier, bot, anna, boris):
    contact = arrive(bot)
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    courier.deliver()
    assert courier.server.messages(ANNA) == []
    assert anna.channels.get().notices.get().state == "skipped"


def test_a_queued_contact_is_told_when_it_is_assigned(courier, bot, anna):
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    arrive(bot)
    courier.deliver()
    assert courier.server.messages(ANNA) == []
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    courier.deliver()
    assert len(courier.server.messages(ANNA)) == 1


def test_an_erased_person_is_taken_out_of_the_message(courier, bot):
    contact = arrive(bot)
    courier.deliver()
    erasure.erase_lead(lead_id=contact.lead_id)
    courier.deliver()
    text = last_message(courier.server, ANNA)["text"]
    assert not any(word in text for word in ("Ivan", "+7999", "Hello"))


def test_other_events_are_told_to_who_asks_for_them(courier, bot, anna):
    anna.channels.update(types=["contact.resolved"])
    contact = arrive(bot)
    lifecycle.resolve_contact(contact_id=contact.pk)
    courier.deliver()
    [message] = courier.server.messages(ANNA)
    assert f"Contact {contact.pk} is done" in message["text"]


class TestTimeOuts:
    @pytest.fixture
    def offered(self, bot, courier):
        Source.objects.update(accept_within=60)
        with time_machine.travel(datetime(2026, 11, 27, 9, tzinfo=UTC), tick=False):
            contact = arrive(bot)
            courier.deliver()
            yield contact

    def test_the_message_says_by_when_it_must_be_taken(self, courier, offered, settings):
        assert "\nTake by 09:01\n" in last_message(courier.server, ANNA)["text"]

    def test_what_was_not_taken_in_time_says_so(self, courier, offered, boris):
        offered.source.roster.create(operator=boris, weight=10)
        Contact.objects.update(due_at=timezone.now())
        time_outs.time_out_due(timezone.now())
        courier.deliver()
        edited = last_message(courier.server, ANNA)
        title = f"<b>Contact {offered.pk}: you have not taken it in time</b>"
        assert edited["text"].split("\n") == [title, "Boris has it.", "Source: Bot"]
        assert labels(edited) == []
        assert "Take by 09:01" in last_message(courier.server, BORIS)["text"]

    def test_the_moment_goes_while_the_operator_is_off_duty(self, courier, offered, anna):
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
        courier.deliver()
        assert "Take by" not in last_message(courier.server, ANNA)["text"]
