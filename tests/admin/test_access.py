import re

import pytest
from django.contrib.auth.models import Group, Permission, User

from accounts.roles import OPERATOR
from leads.models import PossibleDuplicate
from tests import characters
from tests.accounts import people
from tests.admin import pages


@pytest.fixture
def viewer(db, client):
    """Somebody who may look at everything and change nothing."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def test_strangers_are_asked_to_sign_in(client, db):
    assert client.get("/admin/routing/contact/").headers["Location"].startswith("/admin/login/")


def test_who_may_only_look_sees_every_page(viewer):
    bot = characters.source(roster={(anna := characters.operator()): 10})
    contact = characters.contact(bot)
    for thing in (anna, bot, contact, contact.lead):
        assert viewer.get(pages.page(thing)).status_code == 200
        assert viewer.get(pages.listing(type(thing))).status_code == 200


def test_who_may_only_look_is_offered_no_action(viewer):
    contact = characters.contact(characters.source(roster={characters.operator(): 10}))
    response = viewer.get(pages.page(contact))
    assert response.context["actions_detail"] == []
    assert pages.press(viewer, contact, "resolve_this").status_code == 403


def test_who_may_only_look_archives_nobody(viewer):
    anna = characters.operator("Anna")
    assert pages.press(viewer, anna, "archive_this").status_code == 403
    pages.run(viewer, "archive_selected", anna)
    anna.refresh_from_db()
    assert anna.archived_at is None


def test_who_may_only_look_changes_no_roster(viewer):
    bot = characters.source(roster={characters.operator(): 10})
    assert viewer.post(pages.page(bot), {"name": "Mine"}).status_code == 403


def test_who_may_only_look_decides_nothing_about_leads(viewer):
    bot = characters.source()
    ivan, vanya = characters.contact(bot).lead, characters.contact(bot).lead
    pair = PossibleDuplicate.objects.create(lead=ivan, other=vanya)
    assert pages.offered(viewer, ivan) == []
    for url in (pages.listing(PossibleDuplicate), pages.page(pair), pages.page(ivan)):
        assert vanya.phone in (page := viewer.get(url).text)
        assert "dismiss_this" not in page
    for button in ("merge_with", "merge_this", "undo_this", "export_this", "erase_this"):
        assert pages.press(viewer, ivan, button).status_code == 403
    assert pages.press(viewer, pair, "dismiss_this").status_code == 403
    assert viewer.get(f"/admin/leads/lead/{ivan.pk}/file/").status_code == 403


def test_the_sidebar_shows_only_what_one_may_see(db, client):
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(user)
    page = client.get("/admin/").text
    assert "/admin/routing/contact/" in page
    assert "/admin/operators/operator/" not in page


def test_users_and_groups_have_their_pages(supervisor):
    for url in ("/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/", "/admin/auth/group/add/"):
        assert supervisor.get(url).status_code == 200


def test_a_role_keeps_the_name_that_settings_know(supervisor):
    people.make_roles()
    role = Group.objects.get(name=OPERATOR)
    page = supervisor.get(pages.page(role), headers={"Accept-Language": "ru"})
    assert "Оператор" in page.text
    supervisor.post(pages.page(role), {"name": "Boss", "permissions": []})
    role.refresh_from_db()
    assert role.name == OPERATOR


def test_a_role_is_not_deleted(supervisor):
    people.make_roles()
    role = Group.objects.get(name=OPERATOR)
    assert supervisor.post(pages.page(role).replace("change", "delete"), {"post": "yes"}).status_code == 403
    pages.run(supervisor, "delete_selected", role)
    assert Group.objects.filter(name=OPERATOR).exists()


def test_who_is_deleted_is_all_that_the_page_names(supervisor):
    anna = people.account("anna", OPERATOR)
    page = supervisor.get(pages.page(anna).replace("change", "delete"), headers={"Accept-Language": "ru"}).text
    assert "Удалить навсегда: anna (пользователь)?" in page
    assert "User_groups" not in page
    assert "relationship" not in page


def test_a_login_keeps_its_first_letter_in_the_title(supervisor):
    page = supervisor.get(pages.page(people.account("anna"))).text
    assert re.search(r">\s*anna\s*</a", page)
    assert not re.search(r">\s*Anna\s*</a", page)


def test_permissions_are_named_for_people(supervisor):
    page = supervisor.get("/admin/auth/group/add/", headers={"Accept-Language": "ru"}).text
    assert "Обращение: смотреть" in page
    assert "session" not in page.lower()
