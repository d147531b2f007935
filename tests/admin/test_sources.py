import pytest

from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import RosterEntry, Source
from tests import characters
from tests.admin import pages


@pytest.fixture
def save(supervisor):
    """Sends a source's page with these fields changed."""

    def save(source, changes):
        data = pages.filled(supervisor.get(pages.page(source))) | changes
        return supervisor.post(pages.page(source), data)

    return save


def weights(source):
    return dict(RosterEntry.objects.filter(source=source).values_list("operator__name", "weight"))


def added(operator, weight, row=1):
    """One more row below a roster, by default of one."""
    return {
        "roster-TOTAL_FORMS": str(row + 1),
        f"roster-{row}-operator": operator.pk,
        f"roster-{row}-weight": weight,
    }


def test_a_weight_is_changed_on_the_page(save):
    bot = characters.source(roster={characters.operator("Anna"): 10})
    save(bot, {"roster-0-weight": "30"})
    assert weights(bot) == {"Anna": 30}


def test_an_operator_joins_the_roster_and_gets_what_waits(save):
    bot = characters.source(roster={characters.operator("Away", is_active=False): 10})
    waiting = characters.contact(bot)
    save(bot, added(anna := characters.operator("Anna"), "20"))
    waiting.refresh_from_db()
    assert weights(bot) == {"Away": 10, "Anna": 20}
    assert waiting.operator == anna


def test_an_operator_leaves_the_roster(save):
    bot = characters.source(roster={characters.operator("Anna"): 10})
    save(bot, {"roster-0-DELETE": "on"})
    assert weights(bot) == {}


@pytest.fixture
def crowded():
    """A source with a thousand operators on its roster, which are shown in pages of 50."""
    bot = characters.source("Crowded")
    crowd = Operator.objects.bulk_create(Operator(name=f"Operator {n:03d}", max_load=5) for n in range(1000))
    RosterEntry.objects.bulk_create(RosterEntry(source=bot, operator=operator) for operator in crowd)
    return bot


def test_each_page_of_a_long_roster_is_saved(supervisor, crowded):
    last = f"{pages.page(crowded)}?roster-page=20"
    seen = pages.filled(supervisor.get(last))
    assert supervisor.post(last, seen | {"roster-49-weight": "30", "roster-48-DELETE": "on"}).status_code == 302
    assert weights(crowded)["Operator 999"] == 30
    assert "Operator 998" not in weights(crowded)
    assert len(weights(crowded)) == 999


def test_a_line_that_has_moved_to_another_page_meanwhile_is_saved(supervisor, crowded):
    seen = pages.filled(supervisor.get(pages.page(crowded)))
    source_actions.set_weight(source_id=crowded.pk, operator_id=characters.operator("Anna").pk, weight=10)
    supervisor.post(pages.page(crowded), seen | {"roster-49-weight": "30"})
    assert weights(crowded)["Operator 049"] == 30


def test_a_thousand_lines_are_saved_at_one_time(supervisor, crowded):
    seen = pages.filled(supervisor.get(pages.page(crowded)))
    seen |= {"roster-TOTAL_FORMS": "1000", "roster-INITIAL_FORMS": "1000"}
    for number, entry in enumerate(RosterEntry.objects.filter(source=crowded).order_by("operator__name")):
        seen |= {f"roster-{number}-id": entry.pk, f"roster-{number}-source": crowded.pk}
        seen |= {f"roster-{number}-weight": "10", f"initial-roster-{number}-weight": "10"}
    assert supervisor.post(pages.page(crowded), seen | {"roster-999-weight": "30"}).status_code == 302
    assert weights(crowded)["Operator 999"] == 30


def test_of_a_long_roster_one_page_is_shown_with_shares_of_the_whole(supervisor, crowded):
    response = supervisor.get(pages.page(crowded))
    assert len(response.context["inline_admin_formsets"][0].formset.initial_forms) == 50
    assert "0.1%" in response.text
    assert "Operator 000 0.1%, Operator 001 0.1%, Operator 002 0.1% and 997 more" in (
        supervisor.get(pages.listing(Source)).text
    )


def test_who_left_the_roster_while_the_page_was_open_is_a_form_error(supervisor):
    bot = characters.source(roster={(anna := characters.operator("Anna")): 10})
    seen = pages.filled(supervisor.get(pages.page(bot)))
    source_actions.remove_from_roster(source_id=bot.pk, operator_id=anna.pk)
    response = supervisor.post(pages.page(bot), seen | {"roster-0-weight": "30"})
    assert response.context["errors"]
    assert weights(bot) == {}


def test_saving_the_page_leaves_alone_what_somebody_else_changed_meanwhile(supervisor):
    bot = characters.source("Telegram", roster={(anna := characters.operator("Anna")): 10})
    seen = pages.filled(supervisor.get(pages.page(bot)))
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=50)
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "smooth"})
    supervisor.post(pages.page(bot), seen | {"name": "Telegram 2"})
    bot.refresh_from_db()
    assert (bot.name, bot.strategy, weights(bot)) == ("Telegram 2", "smooth", {"Anna": 50})


def test_nobody_is_on_a_roster_twice(save):
    bot = characters.source(roster={(anna := characters.operator("Anna")): 10})
    response = save(bot, added(anna, "20"))
    assert "This operator is on the roster already." in str(response.context["errors"])
    assert weights(bot) == {"Anna": 10}


def test_nobody_joins_a_roster_twice_at_once(save):
    bot, anna = characters.source(), characters.operator("Anna")
    once, again = added(anna, "10", 0), added(anna, "20", 1)
    response = save(bot, once | again)
    assert "This operator is on the roster already." in str(response.context["errors"])
    assert weights(bot) == {}


def test_a_weight_of_zero_is_a_form_error(save):
    bot = characters.source(roster={characters.operator("Anna"): 10})
    assert save(bot, {"roster-0-weight": "0"}).context["errors"]


def test_who_is_in_the_archive_is_a_form_error(save):
    bot = characters.source(roster={characters.operator("Anna"): 10})
    left = characters.operator("Left")
    operator_actions.archive_operator(operator_id=left.pk)
    response = save(bot, added(left, "20"))
    assert "Select a valid choice" in str(response.context["errors"])


def test_a_page_is_saved_as_a_whole_or_not_at_all(supervisor, save, monkeypatch):
    bot = characters.source("Telegram", roster={characters.operator("Anna"): 10})
    left = characters.operator("Left")
    change = source_actions.change_source
    monkeypatch.setattr(
        source_actions,
        "change_source",
        lambda **call: (operator_actions.archive_operator(operator_id=left.pk), change(**call)),
    )
    response = save(bot, added(left, "20") | {"roster-0-weight": "30", "name": "Another name"})
    assert pages.said(response) == ["It no longer exists, or is archived."]
    bot.refresh_from_db()
    assert (bot.name, weights(bot)) == ("Telegram", {"Anna": 10})


def test_saving_a_page_is_one_call(save, monkeypatch):
    calls = []
    monkeypatch.setattr(source_actions, "change_source", lambda **call: calls.append(call))
    bot = characters.source(roster={(anna := characters.operator("Anna")): 10, characters.operator("Boris"): 10})
    save(bot, {"name": "Another name", "roster-0-weight": "30", "roster-1-DELETE": "on"})
    [call] = calls
    assert call["changes"] == {"name": "Another name"}
    assert call["roster"].weights == {anna.pk: 30}
    assert len(call["roster"].leaving) == 1


def test_saving_a_page_without_a_change_calls_nothing(save, monkeypatch):
    monkeypatch.setattr(source_actions, "change_source", lambda **call: pytest.fail("called"))
    save(characters.source(roster={characters.operator("Anna"): 10}), {})


def test_archived_operators_are_not_offered(supervisor):
    left, anna = characters.operator("Left"), characters.operator("Anna")
    operator_actions.archive_operator(operator_id=left.pk)
    choice = {"app_label": "routing", "model_name": "rosterentry", "field_name": "operator", "term": ""}
    offered = supervisor.get("/admin/autocomplete/", choice).json()["results"]
    assert [one["id"] for one in offered] == [str(anna.pk)]


def test_each_weight_is_shown_with_its_share(supervisor):
    bot = characters.source(roster={characters.operator("Anna"): 10, characters.operator("Boris"): 20})
    roster = supervisor.get(pages.page(bot)).text
    assert "33.3%" in roster
    assert "66.7%" in roster
    assert "Boris 66.7%, Anna 33.3%" in supervisor.get(pages.listing(Source)).text


def test_a_name_that_is_taken_is_a_form_error(save):
    characters.source("Telegram")
    response = save(characters.source("WhatsApp"), {"name": "Telegram"})
    assert response.context["errors"] == [["A source with this name already exists."]]


def test_a_name_that_was_taken_a_moment_ago_is_a_message(save, monkeypatch):
    bot = characters.source("WhatsApp")
    characters.source("Telegram")
    monkeypatch.setattr("routing.admin.sources.SourceForm.clean_name", lambda form: form.cleaned_data["name"])
    response = save(bot, {"name": "Telegram"})
    assert pages.said(response) == ["A source with this name already exists."]


def test_the_name_of_an_archived_source_is_free_again(save):
    closed, bot = characters.source("Telegram"), characters.source("WhatsApp")
    source_actions.archive_source(source_id=closed.pk)
    save(bot, {"name": "Telegram"})
    bot.refresh_from_db()
    assert bot.name == "Telegram"


def test_a_source_is_made_with_its_roster(supervisor):
    anna = characters.operator("Anna")
    data = pages.filled(supervisor.get(pages.adding(Source))) | {"name": "Telegram", "roster-TOTAL_FORMS": "1"}
    supervisor.post(pages.adding(Source), data | {"roster-0-operator": anna.pk, "roster-0-weight": "10"})
    assert weights(Source.objects.get()) == {"Anna": 10}


def test_how_a_source_writes_phones_is_set_on_its_page(save):
    bot = characters.source()
    save(bot, {"phone_format": "international", "unreadable_phones": "keep"})
    bot.refresh_from_db()
    assert (bot.phone_format, bot.unreadable_phones) == ("international", "keep")
