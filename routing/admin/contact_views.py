"""The list of contacts: its tabs, saved views beside them, and the answer to its polling."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.live import AGES_STAND, live_response, recent, wants_news
from core.admin.toasts import show_toast, trigger
from core.admin.verbs import VerbAdmin, refusal_text
from core.errors import Refusal
from routing import own_contacts, saved_views
from routing.admin import contact_tabs
from routing.admin.contact_tabs import ContactList
from routing.models import SavedView

VERSION_STANDS = 10  # seconds for which open lists with the same address are told the same
UNSAVED = {PAGE_VAR, "e", "_popup"}
SAVE = {"title": _("Save this view"), "description": _("Tab, filters and search under a name; only you see it.")}


class NameForm(BaseDialogForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=saved_views.LONGEST_NAME,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )


class ContactViews(VerbAdmin):
    change_list_template = "routing/contact_list.html"
    list_before_template = "routing/contact_list_head.html"
    actions_list = ["save_view"]

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[Any, str]] = {
            "live/": (self.live_list_view, "live_list"),
            "views/<int:pk>/remove/": (self.remove_view, "remove_view"),
            "views/restore/": (self.restore_view, "restore_view"),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"routing_contact_{name}")
            for address, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    def has_see_all_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return own_contacts.sees_all(request.user)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContactList]:
        return ContactList

    def list_context(self, request: HttpRequest, changelist: ContactList) -> dict[str, Any]:
        chosen = contact_tabs.chosen_tab(request)
        query = own_query(request)
        views = list(SavedView.objects.filter(user=request.user.pk).order_by("name", "pk"))
        return {
            "chosen_tab": chosen,
            "tabs": contact_tabs.list_tabs(changelist, chosen, contact_tabs.count_tabs()),
            "saved_views": views,
            "own_query": query,
            "may_save_view": is_narrowed(query) and query not in {view.query for view in views},
            "live_url": f"{reverse('admin:routing_contact_live_list')}?{request.GET.urlencode()}",
        }

    def live_list_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_see_all_permission(request):
            raise PermissionDenied
        return require_safe(self.live_list)(request)

    def live_list(self, request: HttpRequest) -> HttpResponse:
        def rendered() -> str:
            changelist: Any = self.get_changelist_instance(request)
            changelist.formset = None  # as `changelist_view` sets it, for the template
            shown = {"cl": changelist, "opts": self.opts, "has_add_permission": False}
            return render_to_string(
                "routing/contact_list_live.html", self.list_context(request, changelist) | shown, request
            )

        def read_version() -> object:
            changelist: Any = self.get_changelist_instance(request)
            return changelist.version(), contact_tabs.count_tabs()

        views = tuple(SavedView.objects.filter(user=user_id(request)).values_list("pk", flat=True))
        try:
            address, news = request.GET.urlencode(), wants_news(request)
            version = recent("contacts", address, read_version, seconds=VERSION_STANDS, news=news)
            return live_response(request, (version, views), rendered, minutes=AGES_STAND)
        except IncorrectLookupParameters as error:
            raise Http404 from error

    @action(
        description=_("Save this view…"),
        permissions=["see_all"],
        dialog={**SAVE, "form_class": NameForm, "form_submit_text": _("Save")},
    )
    def save_view(self, request: HttpRequest, form: NameForm) -> HttpResponse:
        """Keeps the query of this address, which is that of the list."""
        name = form.cleaned_data["name"]
        try:
            saved_views.save_view(user_id=user_id(request), name=name, query=own_query(request))
        except Refusal as refusal:
            form.add_error("name", refusal_text(refusal))
            context = {"dialog": SAVE, "form": form, "form_submit_text": _("Save")}
            return render(request, "unfold/helpers/dialog.html", context)
        return HttpResponse(headers={"HX-Refresh": "true"})

    def remove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_see_all_permission(request):
            raise PermissionDenied
        return require_POST(self.remove)(request, pk)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        view = saved_views.remove_view(user_id=user_id(request), view_id=pk)
        response = trigger(HttpResponse(status=204), refresh=True)
        if view is None:
            return response
        kept = urlencode({"name": view.name, "query": view.query})
        undo_url = f"{reverse('admin:routing_contact_restore_view')}?{kept}"
        return show_toast(
            response, gettext("The view “%(name)s” was removed.") % {"name": view.name}, undo_url=undo_url
        )

    def restore_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_see_all_permission(request):
            raise PermissionDenied
        return require_POST(self.restore)(request)

    def restore(self, request: HttpRequest) -> HttpResponse:
        response = trigger(HttpResponse(status=204), refresh=True)
        name, query = request.GET.get("name", ""), request.GET.get("query", "")
        try:
            saved_views.save_view(user_id=user_id(request), name=name, query=query)
        except Refusal as refusal:
            return show_toast(response, refusal_text(refusal), level="error")
        return response


def is_narrowed(query: str) -> bool:
    """Whether it asks for more than a tab."""
    return bool(QueryDict(query).keys() - {contact_tabs.PARAMETER})


def user_id(request: HttpRequest) -> int:
    return int(request.user.pk or 0)  # these pages have a user


def own_query(request: HttpRequest) -> str:
    """Tab, filters and search of the address, without the page."""
    kept = request.GET.copy()
    for name in UNSAVED:
        kept.pop(name, None)
    return kept.urlencode()
