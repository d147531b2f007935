"""How a source is connected: ready lines, a key, and a trial contact."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from access.models import ApiKey
from routing import source_actions
from tests import characters
from tests.admin import pages


@pytest.fixture
def bot(db):
    return characters.source("Telegram", roster={characters.operator("Anna", limit=1): 10})


def test_the_page_has_the_lines_of_this_source_and_this_service(supervisor, bot):
    page = supervisor.get(pages.page(bot), headers={"Host": "localhost"}).text
    assert "curl -X POST http://localhost/api/v1/contacts" in page
    assert page.count(f'"source_id": {bot.pk},') == 2


def test_the_key_is_of_this_source_unless_another_is_chosen(supervisor, bot):
    url = f"{reverse('admin:access_apikey_add')}?scope={bot.pk}"
    assert url in supervisor.get(pages.page(bot)).text
    assert f'<option value="{bot.pk}" selected>' in supervisor.get(url).text
    assert not ApiKey.objects.exists()


def test_who_may_make_no_key_is_not_led_there(client, bot):
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_source", "change_source"]))
    client.force_login(user)
    assert "Make a key" not in client.get(pages.page(bot)).text


def test_a_trial_says_who_would_get_it(supervisor, bot):
    answer = supervisor.post(reverse("source_trial", args=[bot.pk])).text
    assert "Anna would get it." in answer
    assert "Anna was drawn at random by weight, with a probability of 100%" in answer


def test_a_trial_says_why_nobody_would(supervisor, bot):
    characters.contact(bot)
    assert "Nobody would get it now: it would wait." in supervisor.post(reverse("source_trial", args=[bot.pk])).text


def test_a_source_that_is_gone_is_a_sentence(supervisor):
    assert "It no longer exists, or is archived." in supervisor.post(reverse("source_trial", args=[999])).text


def test_the_archive_has_no_roster_and_no_trial(supervisor, bot):
    source_actions.archive_source(source_id=bot.pk)
    page = supervisor.get(pages.page(bot)).text
    assert "How to connect" not in page
    assert "data-roster" not in page
