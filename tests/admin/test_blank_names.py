"""A name that shows nothing is no name, on every page that takes one."""

import pytest

from access.models import ApiKey
from operators.models import Operator
from routing.models import Source
from tests.admin import pages

MODELS = [
    (Operator, {"max_load": "5"}),
    (Source, {}),
    (ApiKey, {"scope": "management"}),
]


@pytest.fixture
def add(supervisor):
    """Sends the page that adds something, with these fields."""

    def add(model, fields):
        path = pages.adding(model)
        page = supervisor.get(path)
        form = pages.filled(page) if "adminform" in page.context else {"expires_at": ""}
        return supervisor.post(path, form | fields)

    return add


@pytest.mark.parametrize(("model", "fields"), MODELS)
@pytest.mark.parametrize("blank", ["\u200b", "\u3164 ", "\u2800"])
def test_a_name_that_shows_nothing_is_required(add, model, fields, blank):
    assert "This field is required." in add(model, fields | {"name": blank}).text
    assert not model.objects.exists()


@pytest.mark.parametrize(("model", "fields"), MODELS)
def test_what_shows_nothing_around_a_name_is_not_part_of_it(add, model, fields):
    add(model, fields | {"name": "\u200bAnna\u2060 "})
    assert model.objects.get().name == "Anna"


def test_what_shows_nothing_around_an_external_ref_is_not_part_of_it(add):
    add(Operator, {"name": "Anna", "max_load": "5", "external_ref": "\u200btg-1\u2060 "})
    assert Operator.objects.get().external_ref == "tg-1"
