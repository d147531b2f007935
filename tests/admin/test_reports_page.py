"""The page Reports, its files, and who may have them."""

import csv
import io
import logging
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.utils import timezone, translation

from leads.admin.contact_file import contacts_file
from leads.models import Lead
from routing.admin.report_asked import days_of
from routing.admin.report_page import report_file
from routing.report.words import duration_text
from tests import characters

PAGE = "/admin/reports/"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
DAY = {"period": "own", "from": "2026-03-04", "to": "2026-03-04"}
EVIL = '=1+1</script><script>alert(1)</script>"'
PATHS = [PAGE, *(f"{PAGE}{table}.{kind}" for table in ("report", "contacts") for kind in ("csv", "xlsx"))]


@pytest.fixture
def bot(db):
    anna = characters.operator("Anna", limit=1)
    source = characters.source("Bot", roster={anna: 10})
    with time_machine.travel(NOON, tick=False):
        characters.contact(source, lead_phone="+79991234567", lead_name=EVIL, message="-2+3")
        characters.contact(source, lead_email="ivan@example.com")
    return source


def content(answer):
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def csv_rows(answer):
    text = content(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";"))


def xlsx_rows(answer):
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(content(answer))).active.iter_rows()]


def shown(client, **asked):
    """By name of the row, its texts by heading."""
    context = client.get(PAGE, DAY | asked).context
    return {line.name: dict(line.cells) for line in [*context["lines"], context["total"]]}


def test_each_operator_is_a_row_and_the_total_is_the_last(supervisor, bot):
    found = shown(supervisor)
    assert list(found) == ["Anna", "Without an operator", "Total"]
    assert (found["Anna"]["Came in"], found["Anna"]["Assigned"], found["Anna"]["Wait"]) == (
        "1",
        "1",
        "0\xa0s\xa0/ 0\xa0s",
    )
    assert (found["Total"]["Came in"], found["Total"]["First reaction"]) == ("2", "–")


def test_rows_by_time_show_the_clock_of_the_page(supervisor, bot):
    assert list(shown(supervisor, by="day")) == ["Wed, 4 Mar", "Total"]
    by_hour = shown(supervisor, by="hour")
    assert len(by_hour) == 25
    assert by_hour["4 Mar, 12:00"]["Came in"] == "2"


def test_an_empty_period_says_so(supervisor, bot):
    page = supervisor.get(PAGE, {"period": "own", "from": "2020-01-01", "to": "2020-01-02", "by": "source"})
    assert "Nothing happened in this period." in page.content.decode()


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", "2026-03-04", "2026-03-04"),
        ("yesterday", "2026-03-03", "2026-03-03"),
        ("week", "2026-03-02", "2026-03-04"),
        ("last_week", "2026-02-23", "2026-03-01"),
        ("month", "2026-03-01", "2026-03-04"),
        ("last_month", "2026-02-01", "2026-02-28"),
    ],
)
def test_periods_are_whole_days(period, first, last):
    assert [day.isoformat() for day in days_of(period, NOON.date())] == [first, last]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"from": "2026-03-05"}, "The last day is before the first one."),
        ({"from": "2026-13-05"}, "Choose the first and the last day."),
        ({"from": ""}, "Choose the first and the last day."),
        ({"from": "0001-01-01"}, "Choose the first and the last day."),
        ({"from": "2010-01-01"}, "The period is longer than 3660 days."),
        ({"by": "hour", "from": "2024-01-01"}, "The period is longer than 366 days."),
        ({"by": "moon"}, "There is no such report."),
        ({"period": "moon"}, "There is no such period."),
        ({"source": "x"}, "There is no such source or operator."),
        ({"source": "999999"}, "Source 999999 does not exist."),
        ({"operator": "999999"}, "Operator 999999 does not exist."),
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_bad_input_is_answered_with_the_page_and_a_sentence(supervisor, path, asked, sentence):
    answer = supervisor.get(path, DAY | asked)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert f'name="to" required value="{DAY["to"]}"' in answer.content.decode()  # what was typed is still there


@pytest.mark.parametrize("path", PATHS)
def test_nobody_without_the_permission_gets_anything(db, client, path):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="answer_operator"))
    client.force_login(clerk)
    assert client.get(path, DAY).status_code == 403


def test_contacts_need_the_permission_to_see_clients(client, bot):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(clerk)
    for path, status in zip(PATHS, [200, 200, 200, 403, 403], strict=True):
        answer = client.get(path, DAY)
        assert answer.status_code == status
        assert b"".join(answer)  # to the end, which closes the file
    assert f'href="{PAGE}contacts.' not in client.get(PAGE, DAY).content.decode()


def test_the_table_names_period_and_time_zone(supervisor, bot):
    heading, mine, _, total = csv_rows(supervisor.get(f"{PAGE}report.csv", DAY))
    assert heading[:2] == ["Operator (2026-03-04 00:00 – 2026-03-05 00:00, UTC)", "Came in"]
    assert (mine[:3], total[:2]) == (["Anna", "1", "1"], ["Total", "2"])
    first, *_ = xlsx_rows(supervisor.get(f"{PAGE}report.xlsx", DAY | {"by": "hour"}))
    assert first[0].value.startswith("Hour (")


def test_contacts_are_one_row_each_and_no_formula(supervisor, bot, caplog):
    with caplog.at_level(logging.INFO):
        head, first, second = csv_rows(supervisor.get(f"{PAGE}contacts.csv", DAY))
    assert (len(head), head[1], first[1]) == (13, "Received (UTC)", "2026-03-04 12:00:00")
    assert first[2:5] == ["Bot", "Anna", "assigned"]
    assert first[9:] == [f"'{EVIL}", "'+79991234567", "", "'-2+3"]
    assert second[3:6] == ["", "waiting", "everybody is at the limit"]
    assert f"2 contacts were exported by user {User.objects.get().pk}" in caplog.text
    assert "ivan" not in caplog.text
    _, first, _ = xlsx_rows(supervisor.get(f"{PAGE}contacts.xlsx", DAY))
    assert [cell.value for cell in first[9:]] == [f"'{EVIL}", "+79991234567", None, "'-2+3"]
    assert {cell.data_type for cell in first[9:]} <= {"s", "n"}
    assert first[1].value == datetime(2026, 3, 4, 12)


@pytest.mark.parametrize("table", ["report", "contacts"])
def test_a_file_keeps_language_and_clock_of_the_request_while_it_is_sent(rf, supervisor, bot, table):
    request = rf.get(f"{PAGE}{table}.csv", DAY | {"by": "hour"})
    request.user = User.objects.get()
    view = {"report": report_file, "contacts": contacts_file}[table]
    with timezone.override(ZoneInfo("Asia/Tokyo")), translation.override("ru"):
        answer = view(request, kind="csv")
    rows = csv_rows(answer)
    assert "Asia/Tokyo" in "".join(rows[0])
    assert "Завершено" in "".join(rows[0])
    assert "2026-03-04 21:00" in [row[0 if table == "report" else 1][:16] for row in rows]


def test_contacts_are_those_of_the_source_and_the_operator(supervisor, bot):
    other = characters.source()
    with time_machine.travel(NOON, tick=False):
        characters.contact(other)
    assert len(csv_rows(supervisor.get(f"{PAGE}contacts.csv", DAY | {"source": other.pk}))) == 2
    anna = bot.roster.get().operator_id
    assert len(csv_rows(supervisor.get(f"{PAGE}contacts.csv", DAY | {"operator": anna}))) == 2


def test_control_characters_do_not_break_the_file(supervisor, bot):
    Lead.objects.filter(name=EVIL).update(name="a\x01b\x0b")
    _, first, _ = xlsx_rows(supervisor.get(f"{PAGE}contacts.xlsx", DAY))
    assert first[9].value == "a\ufffdb\ufffd"


def test_a_hostile_name_stays_text_on_the_page(supervisor, bot):
    bot.name = EVIL
    bot.save()
    html = supervisor.get(PAGE, DAY | {"by": "source"}).content.decode()
    assert "<script>alert(1)" not in html
    assert "=1+1&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3_570, "1 h")),
        *((3_900, "1 h 5 min"), (39_000, "11 h"), (180_000, "2 d 2 h"), (172_800, "2 d")),
    ],
)
def test_durations_are_read_at_a_glance(seconds, text):
    assert duration_text(seconds) == text.replace(" ", "\xa0")
