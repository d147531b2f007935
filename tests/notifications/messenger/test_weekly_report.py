"""The report of the last week, each Monday, to users who want it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from notifications.messenger.models import Channel, Notice
from notifications.messenger.weekly_notices import make_weekly_notices
from notifications.messenger.weekly_report import WEEKLY
from tests import characters
from tests.notifications.messenger.mail_server import MailServer

MONDAY = datetime(2026, 3, 9, 7, 1, tzinfo=UTC)


@pytest.fixture
def server(settings):
    with MailServer() as made:
        made.use(settings)
        settings.TIME_ZONE = "UTC"
        yield made


def channel(user, **fields):
    return Channel.objects.create(
        user=user, **{"kind": "email", "address": "vera@example.com", "types": [WEEKLY]} | fields
    )


@pytest.fixture
def vera(db):
    return User.objects.create_superuser("vera")


def test_the_mail_has_the_figures_of_the_last_week(courier, server, vera):
    channel(vera)
    anna = characters.operator("=Anna\n<b>", limit=1)
    bot = characters.source(roster={anna: 10})
    for at in (MONDAY - timedelta(days=8), MONDAY - timedelta(days=2), MONDAY):
        with time_machine.travel(at, tick=False):
            characters.contact(bot)
    with time_machine.travel(MONDAY):
        assert make_weekly_notices() == "Weekly reports for 1 channels."
        courier.deliver()
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("vera@example.com", "Report for 2 Mar 2026 – 8 Mar 2026")
    assert "Total: 1 came in, 0 assigned, 0 missed, 0 resolved" in mail.get_content()
    assert Notice.objects.get().state == Notice.State.SENT


def test_each_week_is_sent_once(vera):
    channel(vera)
    for _ in range(2):
        make_weekly_notices(MONDAY)
    assert Notice.objects.count() == 1
    make_weekly_notices(MONDAY + timedelta(days=7))
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (MONDAY - timedelta(minutes=2), 0),
        (MONDAY, 1),
        (MONDAY + timedelta(days=1), 1),
        (MONDAY + timedelta(days=2), 0),
        (MONDAY - timedelta(days=1), 0),
    ],
)
def test_it_comes_on_monday_morning_or_soon_after_an_outage(vera, moment, number):
    channel(vera)
    make_weekly_notices(moment)
    assert Notice.objects.count() == number


def test_only_supervisors_who_want_it_get_it(vera):
    channel(vera, types=None)
    channel(User.objects.create_user("clerk", is_staff=True), address="clerk@example.com")
    channel(vera, kind="telegram", address="5")
    Channel.objects.create(operator=characters.operator("Anna"), kind="email", address="a@example.com", types=[WEEKLY])
    assert make_weekly_notices(MONDAY) == ""
    assert not Notice.objects.exists()


@pytest.mark.parametrize(("kind", "address"), [("email", "vera@example.com"), ("telegram", "")])
def test_it_is_ticked_in_an_email_channel_of_ones_own(client, vera, kind, address):
    client.force_login(vera)
    client.post("/admin/messenger/channel/add/", {"kind": kind, "address": address, "types": [WEEKLY], "language": ""})
    assert [one.types for one in Channel.objects.all()] == ([[WEEKLY]] if kind == "email" else [])
