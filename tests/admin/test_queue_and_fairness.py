import pytest
from django.contrib.auth.models import User

from routing import source_actions
from routing.admin import reports
from routing.fairness import Share
from tests import characters

pytestmark = pytest.mark.both

PAGE = "/admin/queue/"


def rows(client, table):
    return [[str(cell) for cell in row] for row in client.get(PAGE).context[table]["rows"]]


def test_what_waits_is_shown_by_source_with_age_and_reason(supervisor):
    bot = characters.source("Telegram")
    for _ in range(2):
        characters.contact(bot)
    [(source, waiting, age, reason)] = rows(supervisor, "waiting")
    assert f"?status=waiting&amp;source__id__exact={bot.pk}" in source
    assert (waiting, age, reason) == ("2", "0\xa0minutes", "the source has no roster")


def test_what_waits_in_a_closed_source_is_shown_too(supervisor):
    bot = characters.source("Closed")
    characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    assert rows(supervisor, "waiting")[0][3] == "the source is closed"


def test_who_got_how_many_is_shown_with_a_verdict(supervisor):
    bot = characters.source("Telegram", roster={characters.operator("Anna"): 10, characters.operator("Boris"): 30})
    for draw in (0.1, 0.3, 0.5, 0.9):
        characters.contact(bot, draw=lambda draw=draw: draw)
    boris, anna = rows(supervisor, "fairness")
    assert [*boris[2:], *anna[2:4]] == ["3", "3 (1 to 5)", "75%", "75%", "within chance", "1", "1 (0 to 3)"]


@pytest.mark.parametrize(("assigned", "words"), [(90, "more than expected"), (10, "fewer than expected")])
def test_what_cannot_be_chance_is_said(assigned, words):
    share = Share(1, 1, assigned, 50.0, 0.5, 0.5, 40.0, 60.0, within_chance=False)
    assert words in reports.verdict_text(share)


def test_an_empty_service_says_so(supervisor):
    page = supervisor.get(PAGE).text
    assert "The queue is empty." in page
    assert "No contacts have been assigned yet." in page


def test_who_may_not_see_contacts_does_not_see_their_numbers(db, client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_strangers_are_asked_to_sign_in(db, client):
    assert client.get(PAGE).headers["Location"].startswith("/admin/login/")


def test_it_is_one_click_away(supervisor):
    assert PAGE in supervisor.get("/admin/").text
