"""A name that another one replaces stays with the lead."""

import pytest

from leads import batch, erasure, export, lead_editing
from leads.models import FormerName, Lead
from tests import characters

pytestmark = pytest.mark.django_db

IVAN = "+79991234567"


@pytest.fixture
def bot():
    return characters.source()


def written_as(bot, *names, by="key bot"):
    """The lead after contacts with these names."""
    return [characters.contact(bot, lead_phone=IVAN, lead_name=name, by=by) for name in names][-1].lead


def former(lead):
    return list(FormerName.objects.filter(lead=lead.pk).order_by("pk").values_list("name", "replaced_by"))


def test_a_replaced_name_stays_with_its_author(bot):
    assert former(written_as(bot, "Иван Петров", "Ваня")) == [("Иван Петров", "key bot")]


@pytest.mark.parametrize("again", ["Иван Петров", " Иван Петров ", None, "", "  "])
def test_the_same_name_again_or_none_replaces_nothing(bot, again):
    assert former(written_as(bot, "Иван Петров", again)) == []


def test_names_that_take_turns_are_kept_once(bot):
    assert len(former(written_as(bot, *["Ivan", "Иван"] * 3))) == 2


def test_a_corrected_name_stays_too(bot):
    lead = written_as(bot, "Иван Петров")
    lead_editing.edit_lead(lead_id=lead.pk, changes={"name": None}, by="user anna")
    assert former(lead) == [("Иван Петров", "user anna")]


def test_the_names_of_one_batch_stay_all(bot):
    items = [{"source_id": bot.pk, "lead_phone": IVAN, "lead_name": name} for name in ("A", "B", "A", "C")]
    batch.register_contacts(items=items, by="key bot")
    lead = Lead.objects.get()
    assert (lead.name, former(lead)) == ("C", [("A", "key bot"), ("B", "key bot")])


def test_an_export_tells_former_names(bot):
    dossier = export.export_lead(lead_id=written_as(bot, "Иван Петров", "Ваня").pk)
    assert [one.name for one in dossier.former_names] == ["Иван Петров"]


def test_erasing_forgets_former_names(bot):
    erasure.erase_lead(lead_id=written_as(bot, "Иван Петров", "Ваня").pk)
    assert not FormerName.objects.exists()
