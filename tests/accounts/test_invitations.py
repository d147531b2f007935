"""People are invited by a link that works once, and become what they were invited as."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import Invitation
from accounts.roles import ADMINISTRATOR, OPERATOR, SUPERVISOR
from core.changes.models import Change
from operators.models import Operator
from routing import operator_actions
from tests import characters
from tests.accounts import people
from tests.notifications.messenger.mail_server import MailServer

pytestmark = pytest.mark.django_db

INVITE = "/admin/auth/user/add/"
LIST = "/admin/auth/user/"


@pytest.fixture
def olga():
    return people.account("olga", ADMINISTRATOR)


@pytest.fixture
def administrator(olga):
    return people.at_the_browser(olga)


def role(name):
    return Group.objects.get(name=name)


def invite(browser, name="Анна Петрова", email="", role_name=SUPERVISOR, operator="", **more):
    words = {"name": name, "email": email, "role": role(role_name).pk, "operator": operator}
    return browser.post(INVITE, words | more)


def accept(url, username="anna", password=people.PASSWORD, again=None, browser=None):
    words = {"username": username, "new_password1": password, "new_password2": again or password}
    return (browser or Client()).post(url, words)


def link(browser, **more):
    return invite(browser, **more).context["url"]


def is_refused(url):
    answers = [Client().get(url), accept(url, "another")]
    return {(answer.status_code, answer.templates[0].name) for answer in answers} == {
        (404, "accounts/invalid_link.html")
    }


def test_the_invited_person_becomes_a_user_with_the_role_and_is_signed_in(administrator):
    url = link(administrator, email="anna@example.com")
    visitor = Client()
    assert visitor.get(url).context["form"]["username"].value() == "anna"
    assert accept(url, browser=visitor)["Location"] == "/admin/"
    anna = User.objects.get(username="anna")
    assert (anna.first_name, anna.last_name, anna.email) == ("Анна", "Петрова", "anna@example.com")
    assert ([group.name for group in anna.groups.all()], anna.is_staff, anna.is_superuser) == (
        [SUPERVISOR],
        True,
        False,
    )
    assert visitor.get("/admin/").status_code == 200


def test_the_session_lasts_as_long_as_one_that_began_with_a_password(administrator):
    url, visitor, now = link(administrator), Client(), timezone.now()
    with time_machine.travel(now, tick=False):
        accept(url, browser=visitor)
    with time_machine.travel(now + timedelta(hours=12, minutes=1), tick=False):
        assert visitor.get("/admin/").status_code == 302


def test_a_name_in_cyrillic_suggests_a_user_name_that_is_free(administrator):
    people.account("anna.petrova")
    assert Client().get(link(administrator)).context["form"]["username"].value() == "anna.petrova2"


def test_the_token_is_stored_as_a_digest_only(administrator):
    token = link(administrator).rstrip("/").rpartition("/")[2]
    stored = Invitation.objects.get()
    assert stored.token_hash == invitations.digest(token)
    assert token not in str([Invitation.objects.values(), list(Change.objects.values())])
    assert len(token) >= 43  # 256 bits in base64


def test_a_link_works_once(administrator):
    url = link(administrator)
    accept(url)
    assert is_refused(url)
    assert User.objects.filter(username="another").count() == 0


def test_a_link_works_for_seven_days(administrator):
    url = link(administrator)
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        assert Client().get(url).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert is_refused(url)


def test_a_withdrawn_link_works_no_more(administrator):
    url = link(administrator)
    administrator.post(f"{LIST}invitations/{Invitation.objects.get().pk}/withdraw/")
    assert is_refused(url)
    assert Change.objects.filter(what="invitation.withdrawn").count() == 1


def test_another_link_replaces_the_former_one(administrator):
    former = link(administrator)
    again = administrator.post(f"{LIST}invitations/{Invitation.objects.get().pk}/again/").context["url"]
    assert is_refused(former)
    assert accept(again).status_code == 302


def test_guessed_links_are_throttled_like_passwords(administrator):
    visitor = Client()
    url = link(administrator)
    for number in range(5):
        assert visitor.get(f"/admin/invitation/guess-{number}/").status_code == 404
    assert visitor.get(url).status_code == 429
    assert AccessAttempt.objects.get().path_info == ""  # nor is the link anywhere else in that row


def test_passwords_sent_with_a_bad_link_are_not_written_down():
    accept("/admin/invitation/guess/", password="a long secret of mine")
    assert "secret" not in str(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize(
    ("password", "again"), [("short", None), ("password1234", None), (people.PASSWORD, "other battery")]
)
def test_a_bad_password_is_refused_and_leaves_the_link(administrator, password, again):
    url = link(administrator)
    assert accept(url, password=password, again=again).context["form"].errors
    assert accept(url).status_code == 302


@pytest.mark.parametrize("username", ["OLGA", "with blank", "", "x" * 200])
def test_a_bad_user_name_is_refused_and_leaves_the_link(administrator, username):
    url = link(administrator)
    assert "username" in accept(url, username).context["form"].errors
    assert accept(url).status_code == 302


def test_an_operator_is_made_with_the_invitation_and_linked_when_it_is_used(administrator):
    page = invite(administrator, role_name=OPERATOR, operator="new")
    made = Operator.objects.get()
    assert (made.name, made.is_active, made.user) == ("Анна Петрова", False, None)
    assert "Анна Петрова" in page.text
    accept(page.context["url"])
    assert User.objects.get(operator=made).username == "anna"


def test_an_existing_operator_is_linked(administrator):
    anna = characters.operator("Anna")
    accept(link(administrator, role_name=OPERATOR, operator=anna.pk))
    assert User.objects.get(operator=anna).username == "anna"


def test_an_operator_who_is_somebody_elses_by_now_stays_so(administrator):
    anna, boris = characters.operator("Anna"), people.account("boris")
    url = link(administrator, role_name=OPERATOR, operator=anna.pk)
    operator_actions.link_account(user_id=boris.pk, operator_id=anna.pk)
    assert accept(url).status_code == 302
    anna.refresh_from_db()
    assert anna.user == boris


def test_an_operator_without_operator_is_told_before(administrator):
    page = invite(administrator, role_name=OPERATOR)
    assert "operator" in page.context["form"].errors
    assert not Invitation.objects.exists()
    assert invite(administrator, role_name=OPERATOR, without_operator="on").context["url"]


def test_a_role_that_may_more_than_the_inviter_is_not_offered(administrator):
    strong = Group.objects.create(name="Strong")
    strong.permissions.add(Permission.objects.get(codename="delete_contact"))
    assert "role" in invite(administrator, role_name="Strong").context["form"].errors
    assert not Invitation.objects.exists()


def test_a_role_that_has_grown_since_is_not_given(administrator):
    url = link(administrator)
    role(SUPERVISOR).permissions.add(Permission.objects.get(codename="delete_contact"))
    assert is_refused(url)


def test_the_invitations_of_somebody_who_was_switched_off_are_void(administrator, olga):
    url = link(administrator)
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert is_refused(url)


def test_a_supervisor_invites_nobody(administrator):
    link(administrator)
    supervisor = people.at_the_browser(people.account("vera", SUPERVISOR))
    pending = Invitation.objects.get()
    for url in (INVITE, f"{LIST}invitations/{pending.pk}/again/", f"{LIST}invitations/{pending.pk}/withdraw/"):
        assert (supervisor.get(url).status_code, supervisor.post(url).status_code) == (403, 403)


def test_a_used_invitation_is_neither_withdrawn_nor_sent_again(administrator):
    accept(link(administrator))
    used = Invitation.objects.get()
    for verb in ("again", "withdraw"):
        assert administrator.post(f"{LIST}invitations/{used.pk}/{verb}/")["Location"] == LIST
    assert Invitation.objects.get().withdrawn_at is None


def test_who_let_whom_in_is_in_the_history(administrator):
    accept(link(administrator, role_name=SUPERVISOR))
    history = [(one.what, one.by, one.subject) for one in Change.objects.order_by("pk")]
    assert history == [
        ("invitation.created", "user olga", "Анна Петрова"),
        ("user.created", "user anna", "anna"),
    ]
    page = administrator.get("/admin/changes/change/", headers={"Accept-Language": "en"}).text
    assert "invitation of Анна Петрова: sent" in page


def test_the_list_shows_who_is_invited_and_whose_link_has_expired(administrator):
    link(administrator, name="Boris")
    Invitation.objects.update(expires_at=timezone.now())
    link(administrator, name="<b>Gleb</b>")
    page = administrator.get(LIST).text
    assert "&lt;b&gt;Gleb&lt;/b&gt;" in page
    assert "<b>Gleb" not in page
    assert page.index("Boris") < page.index("expired") < page.index("Gleb")


@pytest.mark.parametrize(("language", "subject"), [("en", "Invitation to"), ("ru", "Приглашение в")])
def test_the_link_goes_by_mail_in_the_language_of_the_page(administrator, settings, language, subject):
    administrator.cookies["django_language"] = language
    with MailServer() as server:
        server.use(settings)
        url = link(administrator, email="anna@example.com")
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("anna@example.com", f"{subject} CRM Lead Router")
    assert mail.get_content_type() == "text/plain"
    assert url in mail.get_content()


def test_a_mail_that_cannot_be_sent_is_told_and_the_link_shown(administrator, settings):
    with MailServer() as server:
        server.use(settings)
        server.refuse["anna@example.com"] = "550 No such mailbox"
        page = invite(administrator, email="anna@example.com")
    assert "could not be sent" in page.text
    assert accept(page.context["url"]).status_code == 302
