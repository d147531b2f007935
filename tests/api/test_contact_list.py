import pytest

from routing import lifecycle
from tests import characters

PATH = "/api/v1/contacts"


@pytest.fixture
def anna(db):
    return characters.operator(limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def cast(bot):
    """One contact of each status: resolved, assigned, waiting."""
    resolved = characters.contact(bot)
    lifecycle.resolve_contact(contact_id=resolved.pk)
    return {"resolved": resolved, "assigned": characters.contact(bot), "waiting": characters.contact(bot)}


def ids(api, **query):
    return [contact["id"] for contact in api.get(PATH, query).json()["results"]]


def test_the_newest_comes_first_and_pages_lead_to_the_end(api, bot):
    contacts = [characters.contact(bot).pk for _ in range(5)]
    page, seen = api.get(PATH, {"page_size": 2}).json(), []
    assert list(page) == ["next", "previous", "results"]
    while True:
        seen += [contact["id"] for contact in page["results"]]
        if page["next"] is None:
            break
        page = api.get(page["next"]).json()
    assert seen == contacts[::-1]
    assert api.get(page["previous"]).status_code == 200


@pytest.mark.parametrize("status", ["resolved", "assigned", "waiting"])
def test_a_status_can_be_asked_for(api, cast, status):
    assert ids(api, status=status) == [cast[status].pk]


def test_source_operator_and_lead_can_be_asked_for(api, cast, anna):
    other = characters.contact(characters.source())
    assert ids(api, source_id=other.source_id) == [other.pk]
    assert ids(api, lead_id=other.lead_id) == [other.pk]
    assert ids(api, operator_id=anna.pk) == [cast["assigned"].pk, cast["resolved"].pk]


def test_a_period_can_be_asked_for(api, cast):
    moment = cast["assigned"].created_at.isoformat()
    assert ids(api, created_before=moment) == [cast["resolved"].pk]
    assert ids(api, created_after=moment) == [cast["waiting"].pk, cast["assigned"].pk]


def test_a_period_can_be_asked_for_in_any_time_zone(api, cast):
    assert ids(api, created_before="2000-01-01T00:00:19-22:17") == []
    assert len(ids(api, created_after="2000-01-01T00:00:19+23:59")) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"source_id": "x"},
        {"source_id": 10**30},
        {"created_after": "yesterday"},
        {"cursor": "nonsense"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api, query):
    assert api.get(PATH, query).status_code == 400


def test_an_id_that_nobody_has_finds_nothing(api, cast):
    assert ids(api, source_id=404) == []


def test_a_page_holds_200_at_the_most(api, bot):
    assert api.get(PATH, {"page_size": 10_000}).status_code == 200


def test_a_page_costs_two_statements_however_long(api, bot, django_assert_num_queries):
    for _ in range(5):
        characters.contact(bot)
    with django_assert_num_queries(2):
        positions = [row["assignment"]["position"] for row in api.get(PATH).json()["results"]]
    assert positions == [4, 3, 2, 1, None]


def test_the_place_in_the_queue_is_the_same_on_every_page(api):
    bot = characters.source()
    contacts = [characters.contact(bot) for _ in range(5)]
    page = api.get(PATH, {"page_size": 2}).json()
    page = api.get(page["next"]).json()
    places = {contact["id"]: contact["assignment"]["position"] for contact in page["results"]}
    assert places == {contacts[2].pk: 3, contacts[1].pk: 2}
