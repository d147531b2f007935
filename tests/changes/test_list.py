"""The list of changes: shape, reasons, filters, keys."""

import pytest
from django.utils import timezone

from core.changes.models import Change
from routing import source_actions
from tests import characters
from tests.access import callers
from tests.changes.calls import CHANGES, newest, of

pytestmark = pytest.mark.django_db


def test_a_change_has_the_shape_of_the_contract(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3, "name": "Anna"}, headers={"X-Change-Reason": "Holidays"})
    [change] = of(api)
    assert abs((timezone.now() - Change.objects.get().at).total_seconds()) < 60
    assert change.pop("at").endswith("Z")
    assert change == {
        "id": Change.objects.get().pk,
        "by": "API",
        "via": "api",
        "what": "operator.changed",
        "operator_id": anna.pk,
        "source_id": None,
        "subject": None,
        "before": {"max_load": 10},
        "after": {"max_load": 3},
        "reason": "Holidays",
        "reverts": None,
    }


def test_a_reason_may_be_in_russian(api, anna):
    reason = "В отпуске".encode().decode("latin-1")  # as WSGI hands on UTF-8
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3}, headers={"X-Change-Reason": reason})
    assert newest(api)["reason"] == "В отпуске"


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 400)])
def test_a_reason_has_at_most_200_characters(api, anna, length, status):
    answer = api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3}, headers={"X-Change-Reason": "x" * length})
    assert answer.status_code == status
    anna.refresh_from_db()
    assert (anna.max_load, Change.objects.count()) == ((3, 1) if status == 200 else (10, 0))


def test_an_operator_has_the_changes_of_its_weights(api, anna, bot):
    boris = characters.operator("Boris")
    source_actions.replace_roster(
        source_id=bot.pk, weights=[{"operator_id": anna.pk, "weight": 1}, {"operator_id": boris.pk, "weight": 2}]
    )
    characters.source(roster={boris: 5})
    assert [one["after"] for one in of(api, operator_id=anna.pk)] == [
        {str(anna.pk): 1, str(boris.pk): 2},
        {str(anna.pk): 10},
    ]


def test_changes_are_listed_by_source_and_from_a_place_on(api, bot):
    other = source_actions.create_source(name="Other")
    first = newest(api, source_id=other.pk)
    source_actions.change_source(source_id=other.pk, changes={"name": "Another"})
    assert [one["what"] for one in of(api, source_id=other.pk)] == ["source.changed", "source.created"]
    assert [one["what"] for one in of(api, after=first["id"])] == ["source.changed"]
    assert [one["what"] for one in of(api, after=first["at"])] == ["source.changed"]


@pytest.mark.parametrize("query", [{"after": "yesterday"}, {"operator_id": "x"}, {"source_id": 0}, {"cursor": "x"}])
def test_a_bad_filter_is_named(api, query):
    answer = api.get(CHANGES, query)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == set(query)


def test_a_source_key_sees_no_changes_and_reverts_none(bot):
    change = Change.objects.get()
    client = callers.bot(bot)
    assert client.get(CHANGES).status_code == 403
    assert client.post(f"{CHANGES}/{change.pk}/revert").status_code == 403


def test_a_key_is_named_by_its_prefix(anna):
    new = callers.key()
    callers.with_key(new.secret).patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3})
    assert newest(callers.with_key(new.secret))["by"] == f"key {new.key.prefix}"


def test_a_long_list_comes_in_pages(api, anna):
    for limit in range(1, 6):
        api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": limit})
    page, limits = api.get(CHANGES, {"page_size": 2}).json(), []
    while True:
        limits += [one["after"]["max_load"] for one in page["results"]]
        if not page["next"]:
            break
        page = api.get(page["next"]).json()
    assert limits == [5, 4, 3, 2, 1]
