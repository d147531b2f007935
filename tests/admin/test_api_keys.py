from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User

from access import keys
from access.models import ApiKey
from tests import characters
from tests.access import callers
from tests.admin import pages


def make(client, **fields):
    return client.post(pages.adding(ApiKey), {"name": "Bot", "scope": "management", "expires_at": ""} | fields)


def shown_key(response):
    """The key on the page, which must work."""
    secret = response.context["new"].secret
    assert secret in response.text
    return callers.recognised(secret)


def test_a_key_is_made_for_a_source_and_shown_on_the_answer(supervisor):
    bot = characters.source("Telegram")
    key = shown_key(make(supervisor, scope=str(bot.pk), expires_at="30"))
    assert (key.name, key.source) == ("Bot", bot)
    assert abs(key.expires_at - key.created_at - timedelta(days=30)) < timedelta(minutes=1)


def test_a_management_key_has_to_be_chosen(supervisor):
    assert make(supervisor, scope="").context["form"].errors
    assert not ApiKey.objects.exists()
    assert shown_key(make(supervisor)).is_management


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scope": "404"}, {"expires_at": "0"}, {"expires_at": "soon"}])
def test_a_form_with_a_mistake_makes_no_key(supervisor, wrong):
    assert make(supervisor, **wrong).context["form"].errors
    assert not ApiKey.objects.exists()


def test_the_page_of_a_new_key_copies_it(supervisor):
    page = make(supervisor).text
    assert 'id="new-key"' in page
    assert 'data-copies="new-key"' in page


def test_no_browser_keeps_the_page_that_shows_a_key(supervisor):
    assert "no-store" in make(supervisor)["Cache-Control"]


def test_a_key_is_seen_once(supervisor):
    response = make(supervisor)
    secret = response.context["new"].secret
    key = callers.recognised(secret)
    later = [supervisor.get(url).text for url in (pages.listing(ApiKey), pages.page(key), "/admin/")]
    kept = [later, supervisor.cookies, dict(supervisor.session), list(LogEntry.objects.values()), pages.said(response)]
    assert secret.removeprefix(key.prefix) not in str(kept)


def test_a_rotation_shows_the_new_key_and_leaves_the_old_one(supervisor):
    old = callers.key(characters.source())
    assert supervisor.get(pages.button(old.key, "rotate_this")).status_code == 200
    new = shown_key(supervisor.post(pages.button(old.key, "rotate_this"), {"old_until": "", "expires_at": ""}))
    assert (new.source, new.lineage) == (old.key.source, old.key.lineage)
    assert keys.find_live_key(old.secret)


def test_a_rotation_may_end_the_old_key_at_once(supervisor):
    old = callers.key()
    assert shown_key(supervisor.post(pages.button(old.key, "rotate_this"), {"old_until": "0", "expires_at": ""}))
    assert keys.find_live_key(old.secret) is None


def test_a_third_key_is_refused_in_words(supervisor):
    old = callers.key().key
    keys.rotate_key(key_id=old.pk)
    response = supervisor.post(pages.button(old, "rotate_this"), {"old_until": "", "expires_at": ""})
    assert "already has a successor" in response.text
    assert ApiKey.objects.count() == 2


def test_a_key_is_revoked_on_its_page(supervisor):
    new = callers.key()
    pages.press(supervisor, new.key, "revoke_this")
    assert keys.find_live_key(new.secret) is None
    assert pages.offered(supervisor, new.key) == []


def test_keys_are_revoked_in_the_list(supervisor):
    several = [callers.key(), callers.key()]
    response = pages.run(supervisor, "revoke_selected", *[new.key for new in several])
    assert pages.said(response) == ["2 keys were revoked."]
    assert not ApiKey.objects.live().exists()


def test_the_list_tells_working_keys_from_others(supervisor):
    working, revoked = callers.key().key, callers.key().key
    keys.revoke_key(key_id=revoked.pk)
    assert pages.shown(supervisor, pages.listing(ApiKey) + "?state=live") == [working]
    assert pages.shown(supervisor, pages.listing(ApiKey) + "?state=dead") == [revoked]


def test_what_a_key_may_do_is_never_changed_afterwards(supervisor):
    key = callers.key(characters.source()).key
    assert supervisor.post(pages.page(key), {"name": "Other", "source": ""}).status_code == 403
    assert supervisor.post(f"/admin/access/apikey/{key.pk}/delete/").status_code == 403
    assert ApiKey.objects.get().source_id == key.source_id


def test_a_key_that_is_not_there_is_not_rotated(supervisor):
    assert supervisor.get("/admin/access/apikey/404/rotate_this/").status_code in (302, 404)


@pytest.mark.parametrize("allowed", [[], ["view_apikey"]])
def test_who_may_not_make_keys_makes_rotates_and_revokes_none(db, client, allowed):
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=allowed))
    client.force_login(user)
    new = callers.key()
    assert make(client).status_code == 403
    for action in ("rotate_this", "revoke_this"):
        assert pages.press(client, new.key, action).status_code == 403
    pages.run(client, "revoke_selected", new.key)
    assert ApiKey.objects.count() == 1
    assert keys.find_live_key(new.secret)


def test_who_may_revoke_but_not_make_does_not_rotate(db, client):
    user = User.objects.create_user("guard", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_apikey"))
    client.force_login(user)
    key = callers.key().key
    assert pages.press(client, key, "rotate_this").status_code == 403
    assert pages.offered(client, key) == ["revoke_this"]
