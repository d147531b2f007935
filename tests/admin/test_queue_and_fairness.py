import pytest
from django.contrib.auth.models import User

from routing import fairness, source_actions
from routing.admin import reports
from routing.decision_sums import Sums
from tests import characters

pytestmark = pytest.mark.both

PAGE = "/admin/queue/"
OUTSIDE = fairness.Verdict(fairness.UNFAIR, 0.001, frozenset({1}))


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
    assert [*boris[2:], *anna[2:4]] == ["3", "3 (1 to 5)", "75%", "75%", "–", "within chance", "1", "1 (0 to 3)"]
    assert rows(supervisor, "verdicts") == [["Telegram", "Fair: the differences are no more than chance."]]


def test_a_bent_source_is_called_unfair_with_the_chance_of_a_mistake(supervisor):
    bot = characters.source("Telegram", roster={characters.operator("Anna", limit=50): 10})
    source_actions.set_weight(source_id=bot.pk, operator_id=characters.operator("Boris").pk, weight=10)
    for _ in range(30):
        characters.contact(bot, draw=lambda: 0.1)
    [(_, verdict)] = rows(supervisor, "verdicts")
    assert "Not fair: chance alone would cause this in less than 1 of 1,000 cases." in verdict
    assert "more than expected" in rows(supervisor, "fairness")[0][7]


def test_a_source_without_a_choice_has_no_verdict(supervisor):
    characters.contact(characters.source(roster={characters.operator("Anna"): 10}))
    [(_, verdict)] = rows(supervisor, "verdicts")
    assert verdict == "Nothing to judge: each time only one operator could be chosen."


@pytest.mark.parametrize(
    ("verdict", "p_value", "words"),
    [
        ("unfair", 0.012, "Not fair: chance alone would cause this in 1.2 of 100 cases."),
        ("unfair", None, "Not fair: the rule was not followed."),
    ],
)
def test_the_verdict_is_said_in_words(verdict, p_value, words):
    its = fairness.Verdict(verdict, p_value, frozenset())
    share = fairness.share_of((1, 1), Sums(), its, total_assigned=0, configured_share=0.5)
    assert words in reports.source_verdict_text(share)


def test_why_somebody_has_more_or_less_than_by_weight_is_said_in_whole_contacts():
    its = Sums(assigned=41, drawn=43, taken=2, by_hand=3, expected=40.0, duty=7.5, limit=-17.4)
    share = fairness.share_of((1, 1), its, OUTSIDE, total_assigned=100, configured_share=0.5)
    assert reports.reasons_text(share) == "limits −17, off duty +7, unexplained +3, by hand +3, taken meanwhile −2"
    assert sum(share.reasons.values()) == pytest.approx(41 + 3 - share.by_weight)
    assert reports.assigned_text(share) == "41 (drawn first: 43)"


def test_what_is_within_chance_is_called_chance():
    share = fairness.share_of(
        (1, 2), Sums(drawn=43, assigned=43, expected=40.0), OUTSIDE, total_assigned=100, configured_share=0.4
    )
    assert reports.reasons_text(share) == "chance +3"


@pytest.mark.parametrize("numbers", [[0.5, 0.5], [-0.4, -0.4, 0.9], [1.2, -3.7, 2.4], [0.0]])
def test_rounded_reasons_still_add_up(numbers):
    rounded = reports.round_together(dict(zip("abc", numbers, strict=False)))
    assert sum(rounded.values()) == round(sum(numbers))
    assert all(abs(rounded[name] - number) < 1 for name, number in zip("abc", numbers, strict=False))


@pytest.mark.parametrize(("assigned", "words"), [(90, "more than expected"), (10, "fewer than expected")])
def test_what_cannot_be_chance_is_said(assigned, words):
    share = fairness.share_of(
        (1, 1),
        Sums(assigned=assigned, drawn=assigned, expected=50.0),
        OUTSIDE,
        total_assigned=100,
        configured_share=0.5,
    )
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
