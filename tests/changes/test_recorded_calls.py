"""What each call of the API leaves: one record, or none."""

import pytest

from core.changes.models import Change
from tests import characters
from tests.changes.calls import WAYS, newest, of, of_anna

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("what", "method", "path", "body", "before", "after"), WAYS.values(), ids=WAYS)
def test_a_call_leaves_one_record(api, anna, bot, what, method, path, body, before, after):
    known = Change.objects.count()
    answer = getattr(api, method)(f"/api/v1{path.format(anna.pk, bot.pk)}", of_anna(body, anna))
    assert answer.status_code < 300, answer.content
    found = newest(api)
    assert (found["what"], found["by"], found["via"]) == (what, "API", "api")
    assert found["before"] == of_anna(before, anna)
    wanted = body if after is None else of_anna(after, anna)
    assert {name: found["after"][name] for name in wanted} == wanted
    assert Change.objects.count() == known + 1


def test_restoring_leaves_a_record(api, anna, bot):
    api.delete(f"/api/v1/operators/{anna.pk}")
    api.delete(f"/api/v1/sources/{bot.pk}")
    api.post(f"/api/v1/operators/{anna.pk}/restore")
    api.post(f"/api/v1/sources/{bot.pk}/restore")
    assert [change["what"] for change in of(api)[:2]] == ["source.restored", "operator.restored"]


REFUSED = {
    "an unknown operator": ("patch", "/operators/404", {"max_load": 3}),
    "a bad limit": ("patch", "/operators/{0}", {"max_load": 101}),
    "a name that is taken": ("patch", "/sources/{1}", {"name": "Other"}),
    "an unknown member": ("put", "/sources/{1}/operators", [{"operator_id": 404, "weight": 1}]),
    "an id that is taken": ("patch", "/operators/{0}", {"external_ref": "taken", "max_load": 3}),
}
UNCHANGED = {
    "the same limit": ("patch", "/operators/{0}", {"max_load": 10}),
    "an empty body": ("patch", "/sources/{1}", {}),
    "the same weight": ("post", "/sources/{1}/operators", {"operator_id": 0, "weight": 10}),
    "restoring who is there": ("post", "/operators/{0}/restore", {}),
    "handing over on duty": ("post", "/operators/{0}/handover", {"stay_on_duty": True}),
}


@pytest.mark.parametrize(
    ("method", "path", "body"), [*REFUSED.values(), *UNCHANGED.values()], ids=[*REFUSED, *UNCHANGED]
)
def test_what_is_refused_or_changes_nothing_leaves_no_record(api, anna, bot, method, path, body):
    characters.operator("Taken", external_ref="taken")
    characters.source("Other")
    known = Change.objects.count()
    getattr(api, method)(f"/api/v1{path.format(anna.pk, bot.pk)}", of_anna(body, anna))
    assert Change.objects.count() == known


def test_a_registration_leaves_no_record(bot, django_assert_num_queries):
    known = Change.objects.count()
    characters.contact(bot)
    assert Change.objects.count() == known
