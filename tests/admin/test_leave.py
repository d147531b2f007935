"""The leave wizard: who and when, the forecast, the leave, and its undo."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from operators.models import Absence, Operator, Schedule
from routing import operator_actions, source_actions, taking
from routing.models import Contact
from tests import characters
from tests.admin.pages import page, said
from tests.admin.test_odd_addresses import JUDGED, ODD

PAGE = "/admin/operators/operator/leave/"


@pytest.fixture
def anna(supervisor):
    return characters.operator("Anna", limit=3)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=2)


@pytest.fixture
def contacts(anna, boris):
    """Three of Anna's, two of which Boris has places for."""
    bot = characters.source("Telegram", roster={anna: 10})
    mine = [characters.contact(bot, lead_name="Ivan") for _ in range(3)]
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=30)
    return mine


def days(*, start=0, number=5):
    """So many days from today on."""
    first = timezone.localdate() + timedelta(days=start)
    return {"first": first.isoformat(), "last": (first + timedelta(days=number - 1)).isoformat()}


def asked(operator, **more):
    return {"operator": operator.pk, **days()} | more


def cells(response, table):
    return [[str(cell) for cell in row] for row in response.context[table]["rows"]]


def errors(response):
    return response.context["form"].errors.get_json_data()


def test_without_an_answer_it_asks_for_next_week(supervisor):
    form = supervisor.get(PAGE).context["form"]
    first, last = (date.fromisoformat(form[name].value()) for name in ("first", "last"))
    assert (first.isoweekday(), last.isoweekday()) == (1, 5)
    assert timezone.localdate() < first <= timezone.localdate() + timedelta(days=7)


def test_the_button_on_the_page_of_an_operator_fills_in_who(supervisor, anna):
    answer = supervisor.get(page(anna).replace("/change/", "/leave_this/"), follow=True)
    assert answer.context["form"]["operator"].value() == str(anna.pk)


def test_the_forecast_names_contacts_colleagues_and_sources(supervisor, anna, boris, contacts):
    answer = supervisor.get(PAGE, asked(anna))
    assert answer.context["summary"].endswith("2 would go to colleagues, 1 to the queue.")
    assert [row[-1] for row in cells(answer, "contacts")[:2]] == ["Boris", "Boris"]
    assert "the queue (nobody is available)" in cells(answer, "contacts")[2][-1]
    [[_name, gets, before, after]] = cells(answer, "colleagues")
    assert (gets, "0 of 2" in before, "2 of 2" in after) == ("2", True, True)
    assert "Boris: 75% → 100%" in cells(answer, "sources")[0][1]


def test_hours_without_anybody_are_red_if_the_leave_makes_them(supervisor, anna, contacts):
    Operator.objects.filter(name="Boris").update(is_active=False)
    assert 'class="unfair"' in cells(supervisor.get(PAGE, asked(anna)), "sources")[0][2]
    Operator.objects.filter(name="Anna").update(is_active=False)
    assert "(also without the leave)" in cells(supervisor.get(PAGE, asked(anna)), "sources")[0][2]


def test_the_forecast_applies_nothing(supervisor, anna, contacts):
    supervisor.get(PAGE, asked(anna) | {"handover": "on"})
    assert not Absence.objects.exists()
    assert characters.load(anna) == 3


def test_whole_days_are_those_of_the_operators_schedule(supervisor, anna):
    Schedule.objects.create(operator=anna, time_zone="Asia/Vladivostok", shifts=[])
    supervisor.post(PAGE, {"operator": anna.pk, "first": "2040-01-02", "last": "2040-01-06"})
    absence = Absence.objects.get()
    assert absence.start == datetime(2040, 1, 1, 14, tzinfo=UTC)
    assert absence.end == datetime(2040, 1, 6, 14, tzinfo=UTC)


def test_times_of_day_cut_the_first_and_the_last_day(supervisor, anna, settings):
    given = {"first": "2040-01-02", "first_time": "13:00", "last": "2040-01-06", "last_time": "12:30"}
    Schedule.objects.create(operator=anna, time_zone="UTC", shifts=[])
    supervisor.post(PAGE, {"operator": anna.pk} | given)
    absence = Absence.objects.get()
    assert absence.start == datetime(2040, 1, 2, 13, tzinfo=UTC)
    assert absence.end == datetime(2040, 1, 6, 12, 30, tzinfo=UTC)


def test_a_leave_from_today_hands_over_now_and_says_so(supervisor, anna, boris, contacts):
    answer = supervisor.post(PAGE, asked(anna, reason=" Holiday ", handover="on"))
    assert answer["Location"] == PAGE
    absence = Absence.objects.get()
    assert (absence.reason, absence.handover) == ("Holiday", True)
    assert "Handed over: 2, in the queue: 1." in said(answer)[0]
    assert f"/admin/operators/operator/leave/{absence.pk}/undo/" in said(answer)[0]
    assert characters.load(anna) == 0


def test_one_to_come_moves_nothing_yet(supervisor, anna, contacts):
    answer = supervisor.post(PAGE, asked(anna, handover="on") | days(start=3))
    assert "It begins by itself." in said(answer)[0]
    assert characters.load(anna) == 3


def test_undo_gives_back_and_says_what_has_moved_on(supervisor, anna, boris, contacts):
    supervisor.post(PAGE, asked(anna, handover="on"))
    taking.accept_contact(contact_id=contacts[0].pk)
    answer = supervisor.post(f"/admin/operators/operator/leave/{Absence.objects.get().pk}/undo/")
    assert answer["Location"] == PAGE
    words = said(answer)[-1]
    assert "2 contacts were given back." in words
    assert f"/admin/routing/contact/{contacts[0].pk}/change/" in words
    assert characters.load(anna) == 2


def test_those_that_can_be_undone_are_listed_with_a_button(supervisor, anna, contacts):
    supervisor.post(PAGE, asked(anna, reason="Holiday", handover="on"))
    [row] = cells(supervisor.get(PAGE), "recent")
    assert row[2:4] == ["Holiday", "3"]
    assert "/undo/" in row[4]


def test_a_page_restored_by_back_applies_no_second_leave(supervisor, anna, contacts):
    supervisor.post(PAGE, asked(anna))
    answer = supervisor.post(PAGE, asked(anna))
    assert "There is another absence at that time" in str(answer.context["details"].non_field_errors())
    assert answer.context["sent"] == [
        ("operator", str(anna.pk)),
        ("first", days()["first"]),
        ("first_time", ""),
        ("last", days()["last"]),
        ("last_time", ""),
    ]
    assert Absence.objects.count() == 1


def test_what_was_typed_stays_if_the_reason_is_too_long(supervisor, anna, contacts):
    answer = supervisor.post(PAGE, asked(anna, reason="x" * 201))
    assert "reason" in answer.context["details"].errors
    assert answer.context["details"]["reason"].value() == "x" * 201
    assert not Absence.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (days() | {"operator": "404"}, "operator"),
        (days() | {"operator": "\x00"}, "operator"),
        (days() | {"operator": ""}, "operator"),
        ({"first": "soon", "last": "2040-01-06"}, "first"),
        ({"first": "2040-01-06", "last": "2040-01-02"}, "last"),
        ({"first": "2040-01-02", "last": "2060-01-02"}, "last"),
        ({"first": "0001-01-01", "last": "0001-01-02"}, "last"),
        ({"first": "9999-12-30", "last": "9999-12-31"}, "last"),
        (days(start=-3, number=2), "last"),
        (days(number=1) | {"first_time": "12:00", "last_time": "12:00"}, "last_time"),
        (days() | {"first_time": "25:00"}, "first_time"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_bad_answer_gets_a_sentence_beside_its_field(supervisor, anna, given, field, method):
    answer = getattr(supervisor, method)(PAGE, {"operator": anna.pk} | given)
    assert list(errors(answer)) == [field]
    assert not Absence.objects.exists()


@pytest.mark.parametrize("name", ["operator", "first", "first_time", "last", "last_time"])
def test_no_odd_value_in_the_address_is_an_incident(supervisor, anna, name):
    for value in ODD:
        address = f"{PAGE}?{urlencode(asked(anna) | {name: ''})}".replace(f"{name}=", f"{name}={value}", 1)
        assert supervisor.get(address).status_code == 200, value
    for value in JUDGED:
        assert supervisor.get(f"{PAGE}?{name}={value}").status_code == 200, value


def test_somebody_in_the_archive_cannot_be_chosen(supervisor, anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    assert list(errors(supervisor.get(PAGE, asked(anna)))) == ["operator"]


def test_a_leave_that_is_gone_is_told(supervisor):
    assert "no longer exists" in said(supervisor.post("/admin/operators/operator/leave/404/undo/"))[0]


def test_a_link_undoes_nothing(supervisor, anna):
    supervisor.post(PAGE, asked(anna))
    assert supervisor.get(f"/admin/operators/operator/leave/{Absence.objects.get().pk}/undo/").status_code == 405
    assert Absence.objects.get().ended_at is None


def test_names_are_shown_as_text(supervisor, anna, contacts):
    operator_actions.change_operator(operator_id=anna.pk, changes={"name": "<b>Anna</b>"})
    Contact.objects.get(pk=contacts[0].pk)
    supervisor.post(PAGE, asked(anna, reason="<i>ill</i>", handover="on"))
    text = supervisor.get(PAGE).text
    assert "<b>Anna" not in text
    assert "<i>ill" not in text


def test_the_number_of_statements_does_not_grow_with_sources_and_colleagues(
    supervisor, anna, contacts, django_assert_max_num_queries
):
    for number in range(8):
        bot = characters.source(f"Bot {number}", roster={anna: 10})
        source_actions.set_weight(source_id=bot.pk, operator_id=characters.operator(f"C {number}").pk, weight=1)
    with django_assert_max_num_queries(40):
        supervisor.get(PAGE, asked(anna))
