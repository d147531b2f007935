"""The page Distribution: what it shows, what it saves, files, and what would have been."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.roles import OPERATOR, SUPERVISOR
from core.changes.models import Change
from routing import source_actions
from routing.models import RosterEntry, WhatIf
from routing.what_if import runs
from tests import characters
from tests.accounts import people

PAGE, SAVE, FILE, ASK = map(reverse, ("distribution", "distribution_save", "distribution_csv", "what_if_ask"))


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=100)


@pytest.fixture
def boris(db):
    return characters.operator("Boris", limit=100, is_active=False)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


@pytest.fixture
def site(anna, boris):
    return characters.source("Site", roster={anna: 20, boris: 30})


def cell(source, operator, seen, weight):
    return {"source": str(source.pk), "operator": str(operator.pk), "seen": str(seen), "weight": str(weight)}


def save(client, *cells, **fields):
    return client.post(SAVE, {"cells": json.dumps(cells), "reason": "Season"} | fields)


def weights():
    return {(one.source.name, one.operator.name): one.weight for one in RosterEntry.objects.all()}


def told(response):
    return json.loads(response.headers["HX-Trigger"])


def upload(client, text, **options):
    content = text if isinstance(text, bytes) else text.encode()
    return client.post(PAGE, {"file": SimpleUploadedFile("weights.csv", content)}, **options)


def typed(response):
    """What a file has put into the cells: operator and source by name to the weight."""
    names = [column.source.name for column in response.context["columns"]]
    return {
        (row.operator.name, name): value
        for row in response.context["rows"]
        for name, (_, value) in zip(names, row.cells, strict=True)
        if value is not None
    }


@pytest.mark.both
def test_every_operator_has_a_cell_in_every_source(supervisor, bot, site):
    response = supervisor.get(PAGE)
    assert [column.source for column in response.context["columns"]] == [site, bot]
    found = {row.operator.name: row.cells for row in response.context["rows"]}
    assert found == {"Anna": [(20, None), (10, None)], "Boris": [(30, None), ("", None)]}
    assert "off duty" in response.content.decode()


def test_a_hostile_name_stays_text(supervisor):
    source = characters.source("<script>alert(1)</script>", roster={characters.operator("</td><b>"): 5})
    characters.contact(source)
    page = supervisor.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "</td><b>" not in page


@pytest.mark.both
def test_it_takes_the_same_number_of_queries_for_any_matrix(supervisor, anna, django_assert_num_queries):
    def enlarge(number):
        source = characters.source(f"Bot {number}", roster={anna: 1, characters.operator(f"Operator {number}"): 2})
        characters.contact(source)

    enlarge(0)
    supervisor.get(PAGE)
    with CaptureQueriesContext(connection) as small:
        supervisor.get(PAGE)
    for number in range(1, 12):
        enlarge(number)
    with django_assert_num_queries(len(small)):
        supervisor.get(PAGE)


@pytest.mark.both
def test_many_cells_are_saved_as_one_change_with_a_reason(supervisor, anna, boris, bot, site):
    Change.objects.all().delete()
    response = save(
        supervisor, cell(bot, anna, 10, 40), cell(bot, boris, "", 5), cell(site, anna, 20, ""), cell(site, boris, 30, 1)
    )
    assert (response.status_code, told(response)["saved"]) == (204, True)
    assert told(response)["toast"]["text"] == "4 cells were saved."
    assert weights() == {("Telegram", "Anna"): 40, ("Telegram", "Boris"): 5, ("Site", "Boris"): 1}
    made = Change.objects.values_list("what", "by", "via", "reason")
    assert list(made) == [("roster.changed", "user vera", "page", "Season")] * 2


@pytest.mark.both
def test_who_was_overtaken_is_told_what_is_stored_and_loses_nothing(supervisor, anna, bot, site):
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=25)
    response = save(supervisor, cell(bot, anna, 10, 40), cell(site, anna, 20, 50))
    assert response.status_code == 409
    assert told(response)["overtaken"] == [{"source": bot.pk, "operator": anna.pk, "weight": 25}]
    assert "Somebody else was faster" in told(response)["toast"]["text"]
    assert (weights()["Telegram", "Anna"], weights()["Site", "Anna"]) == (25, 20)
    assert save(supervisor, cell(bot, anna, 25, 40), cell(site, anna, 20, 50)).status_code == 204


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "[]",
        "{}",
        "null",
        "[1]",
        "[[]]",
        "no json",
        "[" * 100_000,
        '[{"source": "1"}]',
        '[{"source": "x", "operator": "1", "seen": "", "weight": "1"}]',
        '[{"source": "1", "operator": "1", "seen": "many", "weight": "1"}]',
    ],
)
def test_what_cannot_be_read_is_refused(supervisor, bot, sent):
    response = supervisor.post(SAVE, {"cells": sent})
    assert (response.status_code, told(response)["toast"]["level"]) == (422, "error")
    assert weights() == {("Telegram", "Anna"): 10}


@pytest.mark.parametrize("weight", ["0", "101", "-1", "1.5", "x", "9" * 40, "١", "<b>"])
def test_what_is_no_weight_is_refused(supervisor, anna, bot, weight):
    response = save(supervisor, cell(bot, anna, 10, weight))
    assert response.status_code == 422
    assert "is not a weight" in told(response)["toast"]["text"]
    assert weights() == {("Telegram", "Anna"): 10}


def test_what_does_not_exist_any_more_is_refused(supervisor, anna, bot, site):
    source_actions.archive_source(source_id=site.pk)
    response = save(supervisor, cell(bot, anna, 10, 40), cell(site, anna, 20, 50))
    assert response.status_code == 409
    assert "archived" in told(response)["toast"]["text"]
    assert weights()["Telegram", "Anna"] == 10


def test_a_long_reason_is_refused(supervisor, anna, bot):
    response = save(supervisor, cell(bot, anna, 10, 40), reason="x" * 201)
    assert "200 characters" in told(response)["toast"]["text"]
    assert weights() == {("Telegram", "Anna"): 10}


def test_the_file_has_ids_and_no_formula(supervisor, bot, site):
    characters.operator("=HYPERLINK(1)")
    lines = b"".join(supervisor.get(FILE).streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == f"id;Operator;Site [{site.pk}];Telegram [{bot.pk}]"
    assert [line.partition(";")[2] for line in lines[1:]] == ["'=HYPERLINK(1);;", "Anna;20;10", "Boris;30;"]


def test_a_file_that_was_not_changed_changes_nothing(supervisor, bot, site):
    response = upload(supervisor, b"".join(supervisor.get(FILE).streaming_content))
    assert (typed(response), response.context["problems"]) == ({}, [])
    assert "The file changes nothing" in response.content.decode()


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1251"), (",", "utf-8"), ("\t", "utf-8-sig")])
def test_a_file_is_shown_and_not_saved(supervisor, anna, boris, bot, site, delimiter, encoding):
    text = f"id;Оператор;Телеграм [{bot.pk}];Сайт [{site.pk}]\n{anna.pk};Анна;15;\n\n{boris.pk};Б;;30\n"
    response = upload(supervisor, text.replace(";", delimiter).encode(encoding))
    assert typed(response) == {("Anna", "Telegram"): 15, ("Anna", "Site"): ""}
    assert "The file changes 2 cells." in response.content.decode()
    assert weights() == {("Telegram", "Anna"): 10, ("Site", "Anna"): 20, ("Site", "Boris"): 30}


def test_what_cannot_be_of_a_file_is_named_and_left_out(supervisor, anna, boris, bot):
    text = f"id;Operator;Telegram [{bot.pk}];Gone [99999]\n{anna.pk};;0;1\n99999;;5;\nx;;5;\n{boris.pk};;7;\n"
    response = upload(supervisor, text)
    assert typed(response) == {("Boris", "Telegram"): 7}
    assert response.context["problems"] == [
        "Source 99999 does not exist.",
        "Line 2: “0” is not a weight: it must be a whole number from 1 to 100, or empty.",
        "Line 3: there is no operator “99999”.",
        "Line 4: there is no operator “x”.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no lines"),
        (b"\n", "no lines"),
        (b"id;Operator;Telegram [1]", "no lines"),
        (b"name;weight\nAnna;5\n", "not a file of this page"),
        (b"\xff\xfe\x00\x98\n\x98", "no lines"),
        (b'id;"Telegram [1]\n5;5', "cannot be read"),
        (b"x" * 2_000_001, "too large"),
    ],
)
def test_a_broken_file_is_refused(supervisor, bot, content, said):
    response = upload(supervisor, content)
    assert response.status_code == 200
    assert any(said in problem for problem in response.context["problems"])
    assert typed(response) == {}


def test_a_form_without_a_file_is_refused(supervisor, bot):
    assert supervisor.post(PAGE, {}).context["problems"] == ["Choose a file first."]


def test_what_is_fine_takes_one_line(supervisor, bot):
    characters.contact(bot)
    page = supervisor.get(PAGE)
    assert (page.context["unfair"], page.context["folded"]) == ([], "1 source is fine.")
    assert "Anna: 1, expected 1" in page.content.decode()


def ask(client, source, *cells, days="30"):
    return client.post(ASK, {"cells": json.dumps(cells), "source": source.pk, "days": days})


@pytest.mark.both
def test_what_if_is_asked_with_the_typed_weights_and_followed(supervisor, anna, boris, bot):
    for _ in range(20):
        characters.contact(bot)
    asked = ask(supervisor, bot, cell(bot, boris, "", 5), cell(bot, anna, 10, 15))
    run = WhatIf.objects.get()
    assert run.asked["changes"]["weights"] == {str(anna.pk): 15, str(boris.pk): 5}
    assert sorted(run.asked["changes"]["roster"]) == sorted([anna.pk, boris.pk])
    url = reverse("what_if", args=[run.pk])
    assert f'data-live="{url}"' in asked.content.decode()
    running = supervisor.get(url)
    assert "data-ended" not in running.content.decode()
    assert supervisor.get(url, headers={"If-None-Match": running.headers["ETag"]}).status_code == 304
    runs.work_off()
    answered = supervisor.get(url, headers={"If-None-Match": running.headers["ETag"]}).content.decode()
    assert "data-ended" in answered
    assert "100%" in answered
    assert RosterEntry.objects.count() == 1


def test_a_refusal_says_why(supervisor, bot):
    ask(supervisor, bot)
    runs.work_off()
    answer = supervisor.get(reverse("what_if", args=[WhatIf.objects.get().pk])).content.decode()
    assert "nothing can be replayed" in answer
    assert "data-ended" in answer


def test_a_run_is_cancelled(supervisor, bot):
    ask(supervisor, bot)
    run = WhatIf.objects.get()
    assert "It was cancelled." in supervisor.post(reverse("what_if_cancel", args=[run.pk])).content.decode()
    assert runs.work_off() == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": "x"}, "Choose a source"),
        ({"source": "99999"}, "Nobody would be on the roster"),
        ({"days": "31"}, "Choose a source"),
        ({"cells": "no json"}, "could not be read"),
    ],
)
def test_what_cannot_be_asked_is_said(supervisor, bot, fields, said):
    response = supervisor.post(ASK, {"source": bot.pk, "days": "7", "cells": "[]"} | fields)
    assert said in response.content.decode()
    assert not WhatIf.objects.exists()


def test_an_unknown_run_is_not_found(supervisor):
    assert supervisor.get(reverse("what_if", args=[99_999])).status_code == 404
    assert supervisor.post(reverse("what_if_cancel", args=[99_999])).status_code == 404


def test_supervisors_may_operators_may_not(anna, bot):
    maria, own = (people.at_the_browser(people.account(*one)) for one in (("maria", SUPERVISOR), ("anna", OPERATOR)))
    assert maria.get(PAGE).status_code == 200
    assert ask(maria, bot).status_code == 200
    run = WhatIf.objects.get()
    assert [own.get(url).status_code for url in (PAGE, FILE, reverse("what_if", args=[run.pk]))] == [403] * 3
    cancel = reverse("what_if_cancel", args=[run.pk])
    assert [own.post(url).status_code for url in (PAGE, SAVE, ASK, cancel)] == [403] * 4
    assert save(maria, cell(bot, anna, 10, 11)).status_code == 204


def test_who_may_only_look_changes_nothing(bot, anna):
    looking = people.account("clerk")
    looking.user_permissions.set(Permission.objects.filter(codename="view_source"))
    client = people.at_the_browser(looking)
    page = client.get(PAGE)
    assert page.status_code == client.get(FILE).status_code == 200
    assert "matrix-form" not in page.content.decode()
    assert page.context["shows_fairness"] is False
    assert [client.post(url).status_code for url in (PAGE, SAVE, ASK)] == [403] * 3


def test_strangers_are_sent_to_the_door(bot):
    assert Client().get(PAGE).status_code == 302
