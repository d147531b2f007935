"""What each role may not do, on every page of the back-office: whatever is not listed here must be refused."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpResponseForbidden
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django.views.generic import RedirectView

from access import keys
from accounts.roles import ADMINISTRATOR, OPERATOR, ROLES, SUPERVISOR
from core.changes.models import Change
from crm_router import urls
from leads.models import PossibleDuplicate
from notifications.messenger.models import Alarm, Channel, Notice
from notifications.models import Delivery
from notifications.webhooks import actions as webhook_actions
from operators.models import Operator
from tests import characters
from tests.accounts import people

RUSSIAN = {SUPERVISOR: "Супервизор", OPERATOR: "Оператор", ADMINISTRATOR: "Администратор"}
EVERYBODY = {
    "now",
    "sign_in",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "search",
    "index",
    "two_factor",
    "two_factor_code",
    "my_alerts",
    "own_profile",
    "admin_password_reset",
}
BEFORE_SIGN_IN = {"sign_in", "login", "admin_password_reset", "accept_invitation", "new_password"}
ANSWERED = {
    *(f"routing_contact_{button}" for button in ("take", "decline_this", "done")),
    *("own_shifts", "my_contacts", "my_contacts_live", "my_duty", "my_pause"),
    *(f"my_contact_{button}" for button in ("take", "resolve", "reopen", "give_back", "note")),
}
ANSWERING = {
    *(f"routing_contact_{page}" for page in ("changelist", "change", "history", "resolve_this", "reopen_this")),
    *(f"routing_contact_{part}" for part in ("reopen", "live_state", "note")),
    *ANSWERED,
}
SUPERVISING = {
    *(f"routing_contact_{action}_this" for action in ("resolve", "reopen", "give", "reroute", "return")),
    *(f"routing_contact_{part}" for part in ("reopen", "live_state", "note", "event", "live_list", "give_many")),
    *(f"routing_contact_{part}_view" for part in ("save", "remove", "restore")),
    *(f"leads_lead_{action}" for action in ("merge_with", "undo_this", "export_this", "erase_this")),
    "leads_lead_file",
    "leads_possibleduplicate_dismiss_this",
    *(f"operators_operator_{action}_this" for action in ("archive", "restore", "hand_over", "hand_over_on_duty")),
    *(f"routing_source_{action}_this" for action in ("archive", "restore")),
    "operators_operator_shifts",
    *("operator_set", "operator_controls", "undo_change", "source_roster", "roster_set", "source_trial"),
    "holidays",
    *(f"{model}_add" for model in ("operators_operator", "routing_source")),
    *(
        f"{model}_{page}"
        for model in (
            "routing_contact",
            "leads_lead",
            "leads_possibleduplicate",
            "operators_operator",
            "routing_source",
        )
        for page in ("changelist", "change", "history")
    ),
    "queue_and_fairness",
    *("operator_pause", "operator_resume"),
    *("distribution", "distribution_save", "distribution_csv", "what_if_ask"),
    *("reports", "report_csv", "report_xlsx", "contacts_csv", "contacts_xlsx"),
    *("leave", "undo_leave", "operators_operator_leave", "operators_operator_leave_this"),
    *("calendar", "routing_source_hours", "routing_source_open_hours"),
    *(f"notifications_webhook_{page}" for page in ("changelist", "change", "history", "deliveries_this")),
    *(f"notifications_delivery_{page}" for page in ("changelist", "change", "history", "repeat_this")),
    *(f"messenger_channel_{page}" for page in ("changelist", "change", "history", "add", "link_this", "remove_this")),
    *(f"messenger_{model}_{page}" for model in ("notice", "alarm") for page in ("changelist", "change", "history")),
    *(f"changes_change_{page}" for page in ("changelist", "change", "history", "revert_this")),
}
ADMINISTERING = {
    *ANSWERED,
    *(f"notifications_webhook_{page}" for page in ("add", "test_this", "replay_this", "rotate_this", "remove_this")),
    *(f"access_apikey_{page}" for page in ("changelist", "add", "change", "history", "rotate_this", "revoke_this")),
    *(f"auth_user_{page}" for page in ("password_change", "invite", "invitation_again", "invitation_withdraw")),
    "auth_user_reset_two_factor_this",
    *(
        f"auth_{model}_{page}"
        for model in ("user", "group")
        for page in ("changelist", "add", "change", "history", "delete")
    ),
}
NOW = {"now_live", "first_steps"}  # parts of the start page; operators start elsewhere
PAGES = {
    None: EVERYBODY | NOW,
    OPERATOR: EVERYBODY | ANSWERING,
    SUPERVISOR: EVERYBODY | NOW | SUPERVISING,
    ADMINISTRATOR: EVERYBODY | NOW | SUPERVISING | ADMINISTERING,
}

CONTACT_ACTIONS = {"resolve_selected", "reopen_selected"}
SUPERVISED_ACTIONS = {
    "contact": CONTACT_ACTIONS | {"reroute_selected", "return_selected"},
    "lead": set(),
    "possibleduplicate": {"dismiss_selected", "merge_selected"},
    "operator": {
        "pause_selected",
        "resume_selected",
        "hand_over_selected",
        "hand_over_on_duty_selected",
        "archive_selected",
    },
    "source": {"archive_selected"},
    "change": set(),
    "webhook": set(),
    "delivery": {"repeat_selected"},
    "channel": {"remove_selected"},
    "notice": set(),
    "alarm": set(),
}
ACTIONS = {
    None: {},
    OPERATOR: {"contact": CONTACT_ACTIONS},
    SUPERVISOR: SUPERVISED_ACTIONS,
    ADMINISTRATOR: SUPERVISED_ACTIONS
    | {"webhook": {"remove_selected"}}
    | {"apikey": {"revoke_selected"}, "user": {"delete_selected"}, "group": {"delete_selected"}},
}
each_role = pytest.mark.parametrize("role", PAGES, ids=str)


def user_with(role):
    return people.account("vera", *filter(None, [role]))


def things(user):
    """One of everything that has a page; the contact is the user's own."""
    anna = characters.operator("Anna", user=user)
    bot = characters.source(roster={anna: 10})
    contact = characters.contact(bot)
    other = characters.contact(bot).lead
    pair = PossibleDuplicate.objects.create(lead=contact.lead, other=other)
    people.app_of(colleague := people.account("boris"))
    key = keys.make_key(name="Bot", source=bot).key
    change = Change.objects.of_configuration().filter(what="roster.changed").latest("pk")
    webhook = webhook_actions.create_webhook(url="https://bot.example.com/crm")
    delivery = Delivery.objects.create(webhook=webhook, event_id=1, type="contact.assigned")
    channel = Channel.objects.create(operator=anna, kind="telegram")
    now = timezone.now()
    made = [
        channel,
        Notice.objects.create(channel=channel, type="contact.assigned", contact=contact),
        Alarm.objects.create(kind="full", since=now, seen_at=now),
        webhook,
        delivery,
        change,
        key,
        anna,
        bot,
        contact,
        contact.lead,
        pair,
        colleague,
        Group.objects.create(name="Guests"),
    ]
    return {type(thing): thing for thing in made}


def patterns(resolver, prefix=""):
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif isinstance(entry, URLPattern) and route.startswith("admin/"):
            yield entry, route


def addresses(existing):
    """Name and address of every page below /admin, also of those that somebody adds tomorrow."""
    for entry, route in patterns(get_resolver()):
        name = entry.name or route  # a page without a name is on no list
        if getattr(entry.callback, "view_class", None) is RedirectView:
            continue  # from an old address of a page to that page
        if name == "app_list":
            continue  # leads to the start page
        named = (
            one.pk
            for model, one in existing.items()
            if name.startswith(
                tuple(f"{before}{model._meta.model_name}_" for before in (f"{model._meta.app_label}_", "", "my_"))
            )
        )
        key = next(named, 1)
        filled = re.sub(r"<[^>]+>", str(key), route.replace("(?P<url>.*)$", "nowhere/"))
        yield name, "/" + filled.replace("\\", "").rstrip("$")


def is_open(browser, address):
    answer = browser.get(address)
    b"".join(answer)  # to the end, which closes the file of a download
    return answer.status_code not in (403, 404)


def is_closed(browser, address):
    return {answer(address).status_code for answer in (browser.get, browser.post)} <= {403, 404, 405}


@pytest.fixture
def plain_refusals(monkeypatch):
    """Hundreds of refusals need no page each; tests/admin/test_error_pages.py sees the page."""
    monkeypatch.setattr(urls, "handler403", lambda request, exception: HttpResponseForbidden(), raising=False)


@pytest.mark.django_db
@pytest.mark.usefixtures("plain_refusals")
@each_role
def test_every_page_that_is_not_listed_is_refused(role):
    user = user_with(role)
    browser, wrong = people.at_the_browser(user), []
    for name, address in addresses(things(user)):
        as_listed = is_open if name in PAGES[role] else is_closed
        if not as_listed(browser, address):
            wrong.append((name, address))
    assert wrong == []


@pytest.mark.django_db
def test_the_walk_meets_every_model_and_every_kind_of_page():
    names = {name for name, _ in addresses(things(user_with(None)))}
    assert PAGES[ADMINISTRATOR] <= names
    assert {f"{m._meta.app_label}_{m._meta.model_name}_change" for m in admin.site._registry} <= names


@pytest.mark.django_db
@each_role
def test_every_action_that_is_not_listed_is_refused(role):
    request = RequestFactory().get("/")
    request.user = user_with(role)
    offered = {
        model._meta.model_name: set(model_admin.get_actions(request))
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_view_or_change_permission(request)
    }
    assert offered == ACTIONS[role]


@pytest.mark.django_db
@each_role
def test_the_sidebar_shows_what_may_be_seen_and_no_more(role):
    existing = things(user := user_with(role))
    page = people.at_the_browser(user).get("/admin/", follow=True)
    links = [item["link"] for group in page.context["sidebar_navigation"] for item in group["items"]]
    shown = [item["link"] for g in page.context["sidebar_navigation"] for item in g["items"] if item["has_permission"]]
    elsewhere = (
        {"now", "index", "routing_contact_changelist"} if role == OPERATOR else set()
    )  # lead to their own contacts
    allowed = {address for name, address in addresses(existing) if name in PAGES[role] - elsewhere}
    assert {str(link) for link in shown} == {str(link) for link in links} & allowed


@pytest.mark.django_db
def test_a_stranger_gets_no_further_than_the_door(client):
    for name, address in addresses(things(user_with(None))):
        if name not in BEFORE_SIGN_IN:
            for answer in (client.get(address), client.post(address)):
                assert answer.status_code == 302, name
                assert answer["Location"].startswith("/admin/login/") or name == "logout", name


@pytest.mark.django_db
def test_a_new_kind_of_page_is_the_administrators_before_anybody_elses():
    people.make_roles()
    roles = {role: set(Group.objects.get(name=role).permissions.values_list("pk", flat=True)) for role in PAGES if role}
    assert roles[OPERATOR] | roles[SUPERVISOR] <= roles[ADMINISTRATOR]


@pytest.mark.django_db
def test_who_answers_finds_no_colleagues_by_completion():
    browser = people.at_the_browser(user_with(OPERATOR))
    asked = {"app_label": "routing", "model_name": "rosterentry", "field_name": "operator"}
    assert browser.get(reverse("admin:autocomplete"), asked).status_code == 403
    assert Operator.objects.count() == 0


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_a_russian_name_wherever_a_russian_reads_it(admin_client, role):
    vera = people.account("vera", role)
    group = Group.objects.get(name=role)
    for page in ("user/", f"user/{vera.pk}/change/", "group/", f"group/{group.pk}/change/"):
        text = admin_client.get(f"/admin/auth/{page}", headers={"Accept-Language": "ru"}).text
        assert RUSSIAN[role] in text, page
        assert f">{role}<" not in re.sub(r"\s", "", text), page


def test_a_group_of_ones_own_keeps_its_name(admin_client):
    Group.objects.create(name="Night shift")
    assert "Night shift" in admin_client.get("/admin/auth/group/", headers={"Accept-Language": "ru"}).text
