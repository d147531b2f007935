from routing.models import Contact
from tests import characters


def test_a_name_that_is_taken_is_a_conflict(api):
    api.post("/api/v1/sources", {"name": "Bot"})
    answer = api.post("/api/v1/sources", {"name": "Bot"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    other = api.post("/api/v1/sources", {"name": "Other"}).json()
    assert api.patch(f"/api/v1/sources/{other['id']}", {"name": "Bot"}).status_code == 409


def test_a_description_may_be_left_out_or_taken_away(api):
    bot = api.post("/api/v1/sources", {"name": "Bot"}).json()
    assert bot["description"] is None
    api.patch(f"/api/v1/sources/{bot['id']}", {"description": "Main"})
    assert api.patch(f"/api/v1/sources/{bot['id']}", {"description": None}).json()["description"] is None


def test_a_deleted_source_is_gone_for_bots_and_its_contacts_stay(api):
    bot = characters.source()
    contact = characters.contact(bot)
    assert api.delete(f"/api/v1/sources/{bot.pk}").status_code == 204
    assert api.get("/api/v1/sources").json() == []
    assert api.get(f"/api/v1/sources/{bot.pk}/operators").status_code == 404
    refused = api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": "+79991234567"})
    assert refused.status_code == 404
    body = api.get(f"/api/v1/contacts/{contact.pk}").json()
    assert body["assignment"]["reason"] == "source_closed"
    assert api.post(f"/api/v1/contacts/{contact.pk}/resolve").json()["is_resolved"] is True


def test_a_weight_is_ten_unless_said_otherwise_and_is_replaced(api):
    anna, bot = characters.operator(), characters.source()
    path = f"/api/v1/sources/{bot.pk}/operators"
    assert api.post(path, {"operator_id": anna.pk}).json()["weight"] == 10
    assert api.post(path, {"operator_id": anna.pk, "weight": 30}).status_code == 201
    assert api.get(path).json() == [{"source_id": bot.pk, "operator_id": anna.pk, "weight": 30}]


def test_the_roster_is_in_operator_order_without_those_who_left(api):
    second, first, leaver = (characters.operator(name) for name in ("B", "A", "Leaver"))
    bot = characters.source(roster={leaver: 1, first: 2, second: 3})
    api.delete(f"/api/v1/operators/{leaver.pk}")
    rows = api.get(f"/api/v1/sources/{bot.pk}/operators").json()
    assert [row["operator_id"] for row in rows] == [second.pk, first.pk]


def test_a_weight_for_somebody_or_something_unknown_is_a_404(api):
    anna, bot = characters.operator(), characters.source()
    assert api.post(f"/api/v1/sources/{bot.pk}/operators", {"operator_id": 404}).status_code == 404
    assert api.post("/api/v1/sources/404/operators", {"operator_id": anna.pk}).status_code == 404
    assert api.post(f"/api/v1/sources/{bot.pk}/operators", {"operator_id": 10**30}).status_code == 400


def test_a_weight_beyond_1_to_100_is_a_400(api):
    anna, bot = characters.operator(), characters.source()
    for weight in (0, 101):
        answer = api.post(f"/api/v1/sources/{bot.pk}/operators", {"operator_id": anna.pk, "weight": weight})
        assert answer.status_code == 400
    assert not Contact.objects.exists()
