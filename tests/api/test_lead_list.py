import pytest

from tests import characters


@pytest.fixture
def anna(db):
    asked = {"lead_phone": "+79990000001", "lead_email": "anna@example.com", "lead_name": "Анна Петрова"}
    return characters.contact(characters.source(), **asked).lead_id


@pytest.fixture
def found(api, anna):
    characters.contact(characters.source(), lead_name="Boris")

    def find(**asked):
        return [lead["id"] for lead in api.get("/api/v1/leads", asked).json()["results"]]

    return find


@pytest.mark.parametrize("phone", ["+79990000001", "8 (999) 000-00-01", "79990000001"])
def test_a_lead_is_found_by_its_phone_in_any_spelling(found, anna, phone):
    assert found(phone=phone) == [anna]


def test_a_lead_is_found_by_its_email_in_any_case(found, anna):
    assert found(email="Anna@Example.COM") == [anna]


@pytest.mark.parametrize("term", ["петров", "Анна", "anna@", "0000001", "8 999 000-00-01"])
def test_a_lead_is_found_by_a_part(found, anna, term):
    assert found(search=term) == [anna]


@pytest.mark.parametrize("term", ["петрова " * 400, "п " * 1900, "x" * 3900])
def test_a_search_may_be_as_long_as_an_address(found, anna, term):
    assert found(search=term) == ([] if "x" in term else [anna])


def test_nobody_is_found_by_what_nobody_has(found):
    assert found(phone="+79990000009") == found(email="nobody@example.com") == []


def test_what_cannot_be_a_phone_or_an_email_is_refused(api, db):
    for field in ("phone", "email"):
        answer = api.get("/api/v1/leads", {field: "100% nonsense"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_the_newest_come_first_page_by_page(api, db):
    ids = [characters.contact(characters.source()).lead_id for _ in range(3)]
    first = api.get("/api/v1/leads", {"page_size": 2}).json()
    assert [lead["id"] for lead in first["results"]] == ids[:0:-1]
    assert [lead["id"] for lead in api.get(first["next"]).json()["results"]] == ids[:1]


def test_a_merged_lead_is_not_listed(api, anna):
    other = characters.contact(characters.source()).lead_id
    api.post(f"/api/v1/leads/{anna}/merge", {"lead_id": other})
    assert [lead["id"] for lead in api.get("/api/v1/leads").json()["results"]] == [anna]


def test_a_list_costs_the_same_however_long(api, db, django_assert_max_num_queries):
    for _ in range(5):
        characters.contact(characters.source())
    with django_assert_max_num_queries(2):
        assert len(api.get("/api/v1/leads").json()["results"]) == 5
