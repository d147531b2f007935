"""The addresses of all pages of the back-office."""

from django.contrib.auth.models import User
from playwright.sync_api import Page

from access.models import ApiKey
from leads.models import Lead, PossibleDuplicate
from operators.models import Operator
from routing.models import Contact

LISTS = {
    "Operators": "operators/operator",
    "Sources": "routing/source",
    "Contacts": "routing/contact",
    "Leads": "leads/lead",
    "Possible duplicates": "leads/possibleduplicate",
    "People": "auth/user",
    "Roles": "auth/group",
    "API keys": "access/apikey",
}
# Of the table of a list, without showing that page.
FIRST_LINK = """async list => new DOMParser().parseFromString(await (await fetch(list)).text(), "text/html")
    .querySelector("#result_list tbody a").getAttribute("href")"""


def all_pages(page: Page) -> list[str]:
    """Of a signed-in administrator, for what the fixture `cast` has made."""
    pages = ["/admin/", *(f"/admin/{path}/" for path in LISTS.values())]
    pages += [f"/admin/{path}/add/" for path in ("operators/operator", "routing/source", "auth/user", "auth/group")]
    pages += ["/admin/access/apikey/add/", f"/admin/access/apikey/{ApiKey.objects.get().pk}/rotate_this/"]
    for path in LISTS.values():
        href = page.evaluate(FIRST_LINK, f"/admin/{path}/")
        pages += [href, href.split("?")[0].replace("change", "history")]
    pages += [f"/admin/auth/user/{User.objects.get().pk}/password/", "/admin/profile/"]
    pages += ["/admin/password_change/", "/admin/leads/"]
    pages += [f"/admin/leads/possibleduplicate/{PossibleDuplicate.objects.get().pk}/change/"]
    pages += [f"/admin/leads/lead/{Lead.objects.get(name='Ivan').pk}/merge_with/?q=van"]
    pages += [f"/admin/operators/operator/{Operator.objects.get(name='Anna').pk}/shifts/"]
    pages += ["/admin/holidays/", "/admin/holidays/?country=RU&year=2030"]
    pages += [
        "/admin/operators/operator/leave/",
        f"/admin/operators/operator/leave/?operator={Operator.objects.get(name='Anna').pk}&first=2099-01-05&last=2099-01-09",
    ]
    Operator.objects.filter(name="Anna").update(user=User.objects.get())
    pages += ["/admin/my-contacts/", "/admin/my-contacts/?shown=done", "/admin/my-shifts/"]
    pages += ["/admin/distribution/"]
    pages += ["/admin/reports/?period=today", "/admin/reports/?period=today&by=hour"]
    pages += ["/admin/queue/", *(f"/admin/routing/contact/{contact.pk}/change/" for contact in Contact.objects.all())]
    return pages
