"""Answers are bounded by bytes as well as by rows, and what has no pages is sent piece by piece."""

import json
import tracemalloc

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.api.streaming import render_array
from core.db import long_texts
from leads.models import Lead
from routing import lifecycle
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

LONG = "п" * 65_536  # two bytes each


@pytest.fixture
def supervisor(client):
    client.force_login(User.objects.create_superuser("vera"))
    return client


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def anna(bot):
    return characters.contact(bot, lead_phone="+79990000001").lead


def write(bot, lead, *messages):
    """Contacts of the lead with these messages. Returns their ids."""
    made = Contact.objects.bulk_create(
        Contact(lead=lead, source=bot, message=message, waiting_reason="no_operators") for message in messages
    )
    return [contact.pk for contact in made]


def pages(api, url, **query):
    """The ids on each page, to the end."""
    page = api.get(url, query).json()
    while True:
        yield [contact["id"] for contact in page["results"]]
        if page["next"] is None:
            return
        page = api.get(page["next"]).json()


def test_a_page_ends_before_its_messages_are_too_large(api, bot, anna):
    ids = write(bot, anna, *[LONG] * 20)
    found = list(pages(api, "/api/v1/contacts", page_size=200))
    assert [len(page) for page in found] == [8, 8, 5]  # the last has Anna's first contact
    assert [pk for page in found for pk in page][:20] == ids[::-1]


def test_so_it_does_on_the_way_back(api, bot, anna):
    write(bot, anna, *[LONG] * 20)
    first = api.get("/api/v1/contacts", {"page_size": 15}).json()
    second = api.get(first["next"]).json()
    back = api.get(second["previous"]).json()
    assert back["results"] == first["results"]


def test_the_way_back_loses_nothing_where_pages_differ(api, bot, anna):
    ids = write(bot, anna, "short", *[LONG] * 12, "short")
    *_, last = list(pages_as_they_are(api))
    seen: list[int] = []
    while last:
        seen = [contact["id"] for contact in last["results"]] + seen
        last = api.get(last["previous"]).json() if last["previous"] else None
    assert seen == [*ids[::-1], min(ids) - 1]


def pages_as_they_are(api):
    page = api.get("/api/v1/contacts", {"page_size": 200}).json()
    yield page
    while page["next"]:
        page = api.get(page["next"]).json()
        yield page


def test_a_message_above_the_bound_is_a_page(api, bot, anna, monkeypatch):
    monkeypatch.setattr(long_texts, "MOST_BYTES", 10)
    write(bot, anna, "more than ten bytes", "likewise, and longer")
    assert [len(page) for page in pages(api, "/api/v1/contacts")] == [1, 1, 1]


def test_short_messages_fill_the_page(api, bot, anna):
    write(bot, anna, *["short"] * 30, None)
    assert [len(page) for page in pages(api, "/api/v1/contacts", page_size=20)] == [20, 12]


def test_pages_are_full_texts(api, bot, anna):
    [pk] = write(bot, anna, LONG)
    assert api.get("/api/v1/contacts").json()["results"][0]["message"] == LONG
    assert api.get(f"/api/v1/contacts/{pk}").json()["message"] == LONG


def body_of(response):
    return json.loads(response.getvalue() if response.streaming else response.content)


def test_all_contacts_of_a_lead_come_oldest_first_however_many(api, bot, anna):
    ids = write(bot, anna, *(f"message {number}" for number in range(long_texts.ROWS * 2 + 1)))
    response = api.get(f"/api/v1/leads/{anna.pk}/contacts")
    contacts = body_of(response)
    assert response["Content-Type"] == "application/json"
    assert [contact["id"] for contact in contacts][1:] == ids
    assert contacts[-1]["assignment"]["position"] == len(contacts)
    assert contacts[0] == api.get(f"/api/v1/contacts/{contacts[0]['id']}").json()


def test_a_few_come_as_ever(api, anna):
    response = api.get(f"/api/v1/leads/{anna.pk}/contacts")
    assert not response.streaming
    assert [contact["lead_id"] for contact in response.json()] == [anna.pk]
    assert api.get(f"/api/v1/leads/{Lead.objects.create().pk}/contacts").json() == []


@pytest.mark.parametrize("slices", [[], [[]], [[], [1, 2]], [[1], [], [2], []]])
def test_a_slice_whose_rows_have_moved_away_leaves_no_gap(slices):
    assert json.loads(b"".join(render_array(slices))) == [number for part in slices for number in part]


def test_an_unknown_lead_is_a_404_and_not_the_beginning_of_an_answer(api):
    assert api.get("/api/v1/leads/1/contacts").status_code == 404
    assert api.get("/api/v1/leads/1/export").status_code == 404


def test_an_export_of_many_is_the_export_of_few(api, bot, anna, monkeypatch):
    for number in range(5):
        characters.contact(bot, lead_phone="+79990000001", message=f"“{number}”")
    lifecycle.resolve_contact(contact_id=max(Contact.objects.values_list("pk", flat=True)))
    headers = {"Accept-Language": "ru"}
    whole = api.get(f"/api/v1/leads/{anna.pk}/export", headers=headers)
    monkeypatch.setattr(long_texts, "ROWS", 2)
    streamed = api.get(f"/api/v1/leads/{anna.pk}/export", headers=headers)
    assert (whole.streaming, streamed.streaming) == (False, True)
    told = body_of(streamed)
    assert told == whole.json()
    assert list(told) == list(whole.json())
    assert streamed["Vary"] == whole["Vary"]


@pytest.mark.parametrize("call", ["contacts", "export"])
def test_a_contact_more_is_no_query_more(api, anna, django_assert_num_queries, call):
    bot = characters.source(roster={characters.operator(limit=100): 10})
    url = f"/api/v1/leads/{anna.pk}/{call}"
    for _ in range(2):
        characters.contact(bot, lead_phone="+79990000001")
    with CaptureQueriesContext(connection) as few:
        api.get(url)
    for _ in range(10):
        characters.contact(bot, lead_phone="+79990000001")
    with django_assert_num_queries(len(few)):
        api.get(url)


def test_so_is_the_file_in_the_back_office(supervisor, api, bot, anna, monkeypatch):
    characters.contact(bot, lead_phone="+79990000001")
    whole = supervisor.get(f"/admin/leads/lead/{anna.pk}/file/")
    monkeypatch.setattr(long_texts, "ROWS", 1)
    streamed = supervisor.get(f"/admin/leads/lead/{anna.pk}/file/")
    assert body_of(streamed) == body_of(whole)
    assert streamed["Content-Disposition"] == whole["Content-Disposition"]


def test_ten_times_the_contacts_need_no_more_memory(api, bot, anna):
    write(bot, anna, *[LONG] * 20)
    few = peak_of(api, anna)
    write(bot, anna, *[LONG] * 180)
    many = peak_of(api, anna)
    assert many < 2 * few


def peak_of(api, lead):
    """Bytes that Python needed at once to write all pieces of the answer, none of which is kept."""
    tracemalloc.start()
    for _ in api.get(f"/api/v1/leads/{lead.pk}/contacts"):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
