"""Settings of the back-office theme: name, colours and the order of the pages."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

MANY = 99  # stops counting there, because every page of the back-office shows the number


def may_view(app: str, model: str) -> Callable[[HttpRequest], bool]:
    """A check whether the user may view the pages of this model."""

    def permitted(request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))

    return permitted


def may_change(app: str, model: str) -> Callable[[HttpRequest], bool]:
    return lambda request: bool(request.user.has_perm(f"{app}.change_{model}"))


def list_title(app: str, model: str) -> str:
    """What the list of a model is called: in the sidebar as in its own title."""
    return str(capfirst(apps.get_model(app, model)._meta.verbose_name_plural))


def page(icon: str, title: Any, url_name: str, permission: Callable[[HttpRequest], bool]) -> dict[str, Any]:
    """One line of the sidebar."""
    return {"title": title, "icon": icon, "link": reverse_lazy(url_name), "permission": permission}


def list_page(icon: str, app: str, model: str) -> dict[str, Any]:
    """One line of the sidebar: the list of a model."""
    title = lazy(list_title, str)(app, model)  # settings are read before models are loaded
    return page(icon, title, f"admin:{app}_{model}_changelist", may_view(app, model))


def sees_more_than_own(request: HttpRequest) -> bool:
    """Whether the first page is the page Now: for everybody but operators."""
    from routing import own_contacts  # imported here because settings are read before models are loaded

    return not own_contacts.sees_only_own(request.user)


def has_own_shifts(request: HttpRequest) -> bool:
    """Whether the user answers the contacts of an operator."""
    from routing import own_contacts  # imported here because settings are read before models are loaded

    return own_contacts.answers_contacts(request.user) and own_contacts.has_operator(request.user)


def has_own_contacts(request: HttpRequest) -> bool:
    """Whether the user answers contacts: for those who do nothing else also before they are linked to an operator."""
    from routing import own_contacts  # imported here because settings are read before models are loaded

    return own_contacts.sees_only_own(request.user) or has_own_shifts(request)


def count_undecided(request: HttpRequest) -> str:
    """The number of undecided duplicates, for users who see that line of the sidebar; empty for none."""
    from leads.models import PossibleDuplicate  # imported here because settings are read before models are loaded

    return count_up_to_limit(PossibleDuplicate.objects.undecided())


def count_up_to_limit(things: "QuerySet[Any]") -> str:
    """The number, at most "99+"; empty for none."""
    count = len(things.values_list("pk")[: MANY + 1])
    return f"{MANY}+" if count > MANY else str(count or "")


UNFOLD = {
    "SITE_TITLE": "CRM Lead Router",
    "SITE_HEADER": "CRM Lead Router",
    "SITE_SUBHEADER": _("Contact routing"),
    "SITE_SYMBOL": "alt_route",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("crm_router/icon.svg")},
    ],
    "STYLES": [
        lambda request: static("crm_router/back_office.css"),
        lambda request: static("crm_router/instant.css"),
    ],
    "SCRIPTS": [
        lambda request: static("crm_router/back_office.js"),
        lambda request: static("crm_router/live.js"),
        lambda request: static("crm_router/toasts.js"),
        lambda request: static("crm_router/instant.js"),
        lambda request: static("crm_router/dialogs.js"),
        lambda request: static("crm_router/unsaved.js"),
        lambda request: static("crm_router/time_zone.js"),
    ],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Profile"), "link": reverse_lazy("own_profile")},
            {"title": _("Two-factor sign-in"), "link": reverse_lazy("two_factor")},
            {"title": _("Password change"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {
        "navigation": [  # in the order of a day's work
            {
                "title": _("Work"),
                "items": [
                    page("monitoring", _("Now"), "now", sees_more_than_own),
                    page("assignment_ind", _("My contacts"), "my_contacts", has_own_contacts),
                    page("schedule", _("My shifts"), "own_shifts", has_own_shifts),
                    list_page("chat", "routing", "contact"),
                    list_page("person", "leads", "lead"),
                    list_page("join", "leads", "possibleduplicate")
                    | {"badge": "crm_router.back_office.count_undecided"},
                    page("tune", _("Distribution"), "distribution", may_view("routing", "source")),
                    page("balance", _("Queue and fairness"), "queue_and_fairness", may_view("routing", "contact")),
                    page("calendar_month", _("Calendar"), "calendar", may_view("operators", "operator")),
                    page("bar_chart", _("Reports"), "reports", may_view("routing", "contact")),
                    list_page("history", "changes", "change"),
                ],
            },
            {
                "title": _("Operators and sources"),
                "items": [
                    list_page("support_agent", "operators", "operator"),
                    list_page("smart_toy", "routing", "source"),
                    page("celebration", _("Public holidays"), "holidays", may_change("operators", "operator")),
                ],
            },
            {
                "title": _("Access"),
                "items": [
                    list_page("key", "auth", "user"),
                    list_page("group", "auth", "group"),
                    list_page("vpn_key", "access", "apikey"),
                ],
            },
            {
                "title": _("Notifications"),
                "items": [
                    list_page("warning", "messenger", "alarm"),
                    list_page("notifications", "messenger", "channel"),
                    list_page("outgoing_mail", "messenger", "notice"),
                    list_page("webhook", "notifications", "webhook"),
                    list_page("send", "notifications", "delivery"),
                ],
            },
        ],
    },
}
