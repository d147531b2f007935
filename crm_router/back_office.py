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


def list_title(app: str, model: str) -> str:
    """What the list of a model is called: in the sidebar as in its own title."""
    return str(capfirst(apps.get_model(app, model)._meta.verbose_name_plural))


def sidebar_page(icon: str, app: str, model: str) -> dict[str, Any]:
    """One line of the sidebar: the list of a model."""
    return {
        "title": lazy(list_title, str)(app, model),  # settings are read before models are loaded
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": may_view(app, model),
    }


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
    "DASHBOARD_CALLBACK": "crm_router.dashboard.add_numbers",
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
        "navigation": [
            {
                "title": _("Operators and sources"),
                "items": [
                    sidebar_page("support_agent", "operators", "operator"),
                    sidebar_page("smart_toy", "routing", "source"),
                    {
                        "title": _("Calendar"),
                        "icon": "calendar_month",
                        "link": reverse_lazy("calendar"),
                        "permission": may_view("operators", "operator"),
                    },
                    {
                        "title": _("Public holidays"),
                        "icon": "celebration",
                        "link": reverse_lazy("holidays"),
                        "permission": lambda request: request.user.has_perm("operators.change_operator"),
                    },
                    sidebar_page("history", "changes", "change"),
                ],
            },
            {
                "title": _("Contacts and leads"),
                "items": [
                    {
                        "title": _("My contacts"),
                        "icon": "assignment_ind",
                        "link": reverse_lazy("my_contacts"),
                        "permission": has_own_contacts,
                    },
                    sidebar_page("chat", "routing", "contact"),
                    {
                        "title": _("My shifts"),
                        "icon": "schedule",
                        "link": reverse_lazy("own_shifts"),
                        "permission": has_own_shifts,
                    },
                    {
                        "title": _("Queue and fairness"),
                        "icon": "balance",
                        "link": reverse_lazy("queue_and_fairness"),
                        "permission": may_view("routing", "contact"),
                    },
                    {
                        "title": _("Reports"),
                        "icon": "bar_chart",
                        "link": reverse_lazy("reports"),
                        "permission": may_view("routing", "contact"),
                    },
                    sidebar_page("person", "leads", "lead"),
                    sidebar_page("join", "leads", "possibleduplicate")
                    | {"badge": "crm_router.back_office.count_undecided"},
                ],
            },
            {
                "title": _("Notifications"),
                "items": [
                    sidebar_page("notifications", "messenger", "channel"),
                    sidebar_page("outgoing_mail", "messenger", "notice"),
                    sidebar_page("warning", "messenger", "alarm"),
                    sidebar_page("webhook", "notifications", "webhook"),
                    sidebar_page("outgoing_mail", "notifications", "delivery"),
                ],
            },
            {
                "title": _("Access"),
                "items": [
                    sidebar_page("key", "auth", "user"),
                    sidebar_page("group", "auth", "group"),
                    sidebar_page("vpn_key", "access", "apikey"),
                ],
            },
        ],
    },
}
