"""Nobody gives away, or takes over, what they do not have."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from accounts.roles import ADMINISTRATOR, OPERATOR, SUPERVISOR
from operators.models import Operator
from tests import characters
from tests.accounts import people
from tests.admin import pages


@pytest.fixture
def administrator(db):
    return people.at_the_browser(people.account("olga", ADMINISTRATOR))


@pytest.fixture
def supervisor(db):
    return people.at_the_browser(people.account("vera", SUPERVISOR))


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss")


def saved(browser, user, **changes):
    """The page of an account, with these fields changed; gives the account back as it is then."""
    answer = browser.post(pages.page(user), pages.filled(browser.get(pages.page(user))) | changes)
    return answer, User.objects.get(pk=user.pk)


def test_a_supervisor_makes_no_accounts(supervisor):
    assert supervisor.post(pages.adding(User), {"username": "mine"}).status_code == 403


def test_a_supervisor_cannot_become_an_administrator(supervisor):
    vera = User.objects.get(username="vera")
    group = Group.objects.get(name=ADMINISTRATOR)
    assert supervisor.post(pages.page(vera), {"username": "vera", "groups": [group.pk]}).status_code == 403
    assert not vera.groups.filter(name=ADMINISTRATOR).exists()


def test_an_administrator_gives_roles(administrator):
    group = Group.objects.get(name=SUPERVISOR)
    _, boris = saved(administrator, people.account("boris"), groups=[group.pk])
    assert list(boris.groups.all()) == [group]


def test_an_administrator_makes_nobody_a_superuser(administrator):
    _, boris = saved(administrator, people.account("boris"), is_superuser="on")
    assert not boris.is_superuser


def test_an_administrator_lays_no_hands_on_a_superuser(administrator, boss):
    assert administrator.post(pages.page(boss), {"username": "boss", "is_active": ""}).status_code == 403
    for page in ("password", "delete", "reset_two_factor_this"):
        assert administrator.post(f"/admin/auth/user/{boss.pk}/{page}/", {"post": "yes"}).status_code in (403, 404)
    pages.run(administrator, "delete_selected", boss)
    assert User.objects.filter(pk=boss.pk, is_active=True).exists()


def test_the_password_of_a_superuser_is_not_the_administrators_to_set(administrator, boss):
    assert administrator.post(f"/admin/auth/user/{boss.pk}/password/").status_code == 403


def test_a_group_that_may_more_is_not_given_away(administrator):
    strong = Group.objects.create(name="Strong")
    strong.permissions.add(Permission.objects.get(codename="delete_contact"))
    answer, boris = saved(administrator, people.account("boris"), groups=[strong.pk])
    assert "groups" in answer.context["adminform"].form.errors
    assert not boris.groups.exists()


def test_a_group_gets_no_permission_that_the_administrator_has_not(administrator):
    delete = Permission.objects.get(codename="delete_contact")
    answer = administrator.post(pages.adding(Group), {"name": "Strong", "permissions": [delete.pk]})
    assert "permissions" in answer.context["adminform"].form.errors


def test_a_superuser_still_may_everything(client, boss):
    client.force_login(boss, "django.contrib.auth.backends.ModelBackend")
    _, boris = saved(client, people.account("boris"), is_superuser="on")
    assert boris.is_superuser


def test_an_administrator_says_who_an_operator_is(administrator):
    anna, account = characters.operator("Anna"), people.account("anna", OPERATOR)
    saved(administrator, account, operator=anna.pk)
    assert Operator.objects.get(user=account) == anna
    saved(administrator, account, operator="")
    assert not Operator.objects.filter(user=account).exists()


def test_nobody_is_an_operator_that_somebody_else_is(administrator):
    anna = characters.operator("Anna", user=people.account("anna"))
    answer, _ = saved(administrator, people.account("boris"), operator=anna.pk)
    assert "operator" in answer.context["adminform"].form.errors


def test_the_operator_outlives_the_account(db):
    account = people.account("anna")
    anna = characters.operator("Anna", user=account)
    account.delete()
    anna.refresh_from_db()
    assert anna.user is None
