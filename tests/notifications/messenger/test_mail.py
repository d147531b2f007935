"""One mail for each new contact, and a digest for many."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from notifications.messenger import fan_out, leases, mail
from notifications.messenger.models import Alarm, Channel, Notice
from routing import lifecycle
from tests import characters
from tests.notifications.messenger.mail_server import MailServer, use_port

ADDRESS = "anna@example.com"


@pytest.fixture
def server(settings):
    with MailServer() as made:
        made.use(settings)
        settings.EMAIL_DIGEST_AFTER = 2
        yield made


@pytest.fixture
def anna(courier, server):
    operator = characters.operator("Anna", limit=100)
    Channel.objects.create(operator=operator, kind="email", address=ADDRESS)
    return operator


@pytest.fixture
def bot(anna):
    return characters.source("Bot", roster={anna: 10})


def arrive(bot, number):
    return [characters.contact(bot, lead_name="Ivan", message="Hello") for _ in range(number)]


def test_a_mail_says_who_writes_what(courier, server, bot):
    [contact] = arrive(bot, 1)
    courier.deliver()
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == (ADDRESS, f"New contact {contact.pk}")
    assert "Ivan" in mail.get_content()
    assert "Hello" in mail.get_content()


def test_a_message_of_a_clock_that_was_ahead_does_not_wait_for_that_time(courier, server, bot):
    [contact] = arrive(bot, 1)
    ahead = timezone.now() + timedelta(hours=3)
    fan_out.fan_out_notices()
    Notice.objects.update(created_at=ahead, due_at=ahead)
    courier.senders.send_due()
    courier.senders.wait()
    assert server.subjects == [f"New contact {contact.pk}"]
    assert Notice.objects.get().created_at < ahead


def test_a_lease_of_a_clock_that_was_ahead_is_over(courier, server, bot):
    [contact] = arrive(bot, 1)
    fan_out.fan_out_notices()
    Notice.objects.update(leased_until=timezone.now() + timedelta(hours=3))
    courier.deliver()
    assert server.subjects == [f"New contact {contact.pk}"]


def test_many_at_once_come_in_one(courier, server, bot):
    arrive(bot, 3)
    courier.deliver()
    assert server.subjects == ["3 notifications"]
    assert server.mails[0].get_content().count("New contact") == 3


def test_a_steady_flow_of_single_mails_does_not_put_the_others_off(courier, server, bot, time_machine):
    begun = timezone.now()
    for seconds, number in ((0, 1), (20, 1), (30, 3), (62, 1), (110, 0)):
        time_machine.move_to(begun + timedelta(seconds=seconds))
        arrive(bot, number)
        courier.deliver()
    assert server.subjects[2:] == ["4 notifications"]


def test_after_some_single_mails_the_rest_of_the_minute_comes_together(courier, server, bot):
    for _ in range(2):
        arrive(bot, 1)
        courier.deliver()
    arrive(bot, 3)
    courier.deliver()
    assert len(server.mails) == 2
    Notice.objects.filter(state="sent").update(sent_at=timezone.now() - timedelta(seconds=61))
    courier.deliver_now()
    assert server.subjects[2:] == ["3 notifications"]


def test_what_is_no_longer_true_is_in_no_digest(courier, server, bot):
    done, *_others = arrive(bot, 3)
    lifecycle.resolve_contact(contact_id=done.pk)
    courier.deliver()
    assert len(server.mails) == 2


def test_a_mailbox_that_does_not_exist_is_switched_off(courier, server, bot):
    server.refuse[ADDRESS] = "550 no such user"
    arrive(bot, 1)
    courier.deliver()
    assert "550" in Channel.objects.get().off_reason
    assert Notice.objects.get().state == "failed"


def test_a_mailbox_that_is_busy_is_tried_again(courier, server, bot):
    server.refuse[ADDRESS] = "451 greylisted"
    arrive(bot, 1)
    courier.deliver()
    assert Notice.objects.get().state == "pending"
    server.refuse.clear()
    courier.deliver_now()
    assert len(server.mails) == 1


def test_a_mail_server_that_is_away_loses_nothing(courier, server, bot, settings):
    use_port(settings, 1)
    arrive(bot, 1)
    courier.deliver()
    server.use(settings)
    courier.deliver_now()
    assert len(server.mails) == 1


def test_a_slow_mail_server_gets_no_mail_from_two_workers(courier, server, bot, settings, time_machine, monkeypatch):
    """Each mail takes 40 seconds. Another worker looks meanwhile for notices whose lease has ended."""
    settings.EMAIL_DIGEST_AFTER = 3
    send_mail, taken_over = mail.send_mail, []

    def send_slowly(channel, notices):
        time_machine.move_to(timezone.now() + timedelta(seconds=40))
        taken_over.extend(leases.claim_notices(channel))
        send_mail(channel, notices)

    monkeypatch.setattr(mail, "send_mail", send_slowly)
    clock = SimpleNamespace(monotonic=lambda: timezone.now().timestamp())
    monkeypatch.setattr(leases, "time", clock)
    arrive(bot, 3)
    courier.deliver()
    assert (len(server.mails), taken_over) == (3, [])


def test_without_a_mail_server_it_has_failed(courier, server, bot, settings):
    settings.IS_EMAIL_CONFIGURED = False
    arrive(bot, 1)
    courier.deliver()
    assert "EMAIL_URL" in Notice.objects.get().error


def test_a_name_with_a_line_break_makes_a_mail_like_any_other(courier, server, anna):
    now = timezone.now()
    alarm = Alarm.objects.create(kind="unserved", subject="1", since=now, seen_at=now, details={"name": "Bot\nTwo"})
    Notice.objects.create(channel=Channel.objects.get(), alarm=alarm, type="alarm", due_at=now)
    courier.deliver()
    assert server.subjects == ["Source Bot Two: nobody on duty serves it"]
