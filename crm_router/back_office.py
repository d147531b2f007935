"""Settings of the back-office theme: name, colours and the order of the pages."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

MANY = 99  # stops counting there, because every page of the back-office shows the number


def may_view(app: str, model: str) -> Callable[[HttpRequest], bool]:
    """A check whether the user may view the pages of this model."""

    def permitted(request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))

    return permitted


def sidebar_page(title: Any, icon: str, app: str, model: str) -> dict[str, Any]:
    """One line of the sidebar: the list of a model."""
    link = reverse_lazy(f"admin:{app}_{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may_view(app, model)}


def may_view_contacts(request: HttpRequest) -> bool:
    """Whether the user may view all contacts or at least their own."""
    return may_view("routing", "contact")(request) or request.user.has_perm("operators.answer_operator")


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
    "STYLES": [lambda request: static("crm_router/back_office.css")],
    "SCRIPTS": [lambda request: static("crm_router/back_office.js")],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Two-factor sign-in"), "link": reverse_lazy("two_factor")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Operators and sources"),
                "items": [
                    sidebar_page(_("Operators"), "support_agent", "operators", "operator"),
                    sidebar_page(_("Sources"), "smart_toy", "routing", "source"),
                ],
            },
            {
                "title": _("Contacts and leads"),
                "items": [
                    sidebar_page(_("Contacts"), "chat", "routing", "contact") | {"permission": may_view_contacts},
                    {
                        "title": _("Queue and fairness"),
                        "icon": "balance",
                        "link": reverse_lazy("queue_and_fairness"),
                        "permission": may_view("routing", "contact"),
                    },
                    sidebar_page(_("Leads"), "person", "leads", "lead"),
                    sidebar_page(_("Possible duplicates"), "join", "leads", "possibleduplicate")
                    | {"badge": "crm_router.back_office.count_undecided"},
                ],
            },
            {
                "title": _("Access"),
                "items": [
                    sidebar_page(_("Users"), "key", "auth", "user"),
                    sidebar_page(_("Roles"), "group", "auth", "group"),
                    sidebar_page(_("API keys"), "vpn_key", "access", "apikey"),
                ],
            },
        ],
    },
}
