"""API keys: created, rotated and revoked here. A key is shown once, on the page that answers its creation."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from access import keys
from access.models import ApiKey
from core.admin.forms import TrimmedField
from core.admin.own_history import OwnHistory
from core.admin.own_pages import OwnPages
from core.admin.titles import PlainTitles
from core.admin.verbs import VerbAction, acting_author
from core.changes.recording import Author
from routing.models import Source

COLOURS = {ApiKey.State.LIVE: "success", ApiKey.State.EXPIRED: "warning", ApiKey.State.REVOKED: "danger"}
MANAGEMENT = "management"
LONGEST = 36_500  # days


class Days(forms.IntegerField):
    """A number of days from now; empty means without end."""

    def __init__(self, *, label: Any, help_text: Any, at_least: int) -> None:
        widget = UnfoldAdminIntegerFieldWidget
        super().__init__(
            label=label, help_text=help_text, required=False, min_value=at_least, max_value=LONGEST, widget=widget
        )

    def clean(self, value: Any) -> datetime | None:
        days = super().clean(value)
        return None if days is None else timezone.now() + timedelta(days=days)


class NewKeyForm(forms.Form):
    name = TrimmedField(
        label=pgettext_lazy("of a source", "Name"),
        max_length=100,
        help_text=_("The program or person that uses the key, such as “Telegram bot on server 2”."),
        widget=UnfoldAdminTextInputWidget,
    )
    scope = forms.ChoiceField(
        label=_("Scope"),
        help_text=_("A source key can only register and read contacts of its source."),
        widget=UnfoldAdminSelectWidget,
    )
    expires_at = Days(label=_("Valid for (days)"), help_text=_("Empty: until it is revoked."), at_least=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sources = {str(source.pk): source for source in Source.objects.current().order_by("name")}
        self.fields["scope"].choices = [("", "–"), (MANAGEMENT, _("Management: everything")), *self.sources.items()]  # type: ignore[attr-defined]

    def make(self, author: Author) -> keys.NewKey:
        given = self.cleaned_data
        source = self.sources.get(given["scope"])
        return keys.make_key(name=given["name"], source=source, expires_at=given["expires_at"], author=author)


class RotateForm(forms.Form):
    old_until = Days(
        label=_("The old key stays valid for (days)"),
        help_text=_("Empty: until it is revoked. 0: it expires immediately."),
        at_least=0,
    )
    expires_at = Days(
        label=_("The new key is valid for (days)"), help_text=_("Empty: until it is revoked."), at_least=1
    )


class StateFilter(RadioFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("live", _("Valid")), ("dead", _("Expired or revoked"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        live = ApiKey.objects.live().values("pk")
        words = {"live": lambda: queryset.filter(pk__in=live), "dead": lambda: queryset.exclude(pk__in=live)}
        return words.get(self.value(), queryset.all)()


def revoked(count: int) -> str:
    return ngettext(
        "%(count)d key was revoked.",
        "%(count)d keys were revoked.",
        count,
    ) % {"count": count}


@admin.register(ApiKey)
class ApiKeyAdmin(OwnHistory, PlainTitles, OwnPages, ModelAdmin):
    history_query = "subject=key:%s"
    warn_unsaved_form = True
    list_display = ["name", "prefix", "scope", "badge", "last_used_at", "expires_at", "created_at"]
    list_filter = [StateFilter]
    list_filter_submit = True
    list_select_related = ["source"]
    search_fields = ["name", "prefix"]
    search_help_text = _("Name or prefix")
    ordering = ["-pk"]
    fields = ["name", "prefix", "scope", "state", "last_used_at", "expires_at", "revoked_at", "created_at"]
    readonly_fields = fields  # type: ignore[assignment] # the stubs allow no tuples in the one, but in the other
    actions = ["revoke_selected"]
    actions_detail = ["rotate_this", "revoke_this"]

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # the scope of a key is set when it is created

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # the history refers to it

    def has_revoke_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("access.change_apikey")

    def has_rotate_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("access.change_apikey") and request.user.has_perm("access.add_apikey")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        key = self.get_object(request, object_id)
        return super().get_actions_detail(request, object_id) if key and key.is_live else []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewKeyForm(request.POST or None, initial={"scope": request.GET.get("scope")})
        page = {"title": _("New API key"), "button": _("Create the key"), "back": self.list_url()}
        if not form.is_valid():
            return self.render_page(request, "access/key_form.html", page | {"form": form})
        new = form.make(acting_author(request))
        return self.show_once(request, new)

    @action(description=_("Rotate"), permissions=["rotate"], icon="autorenew")
    def rotate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on a page of its own, because its answer is the page that shows the new key."""
        key = self.get_object(request, object_id)
        if key is None:
            raise Http404
        form = RotateForm(request.POST if request.method == "POST" else None)
        page = {"title": _("Rotate %(key)s") % {"key": key.name}, "button": _("Create the new key"), "key": key}
        if form.is_valid():
            try:
                new = keys.rotate_key(key_id=key.pk, **form.cleaned_data, author=acting_author(request))
            except keys.CannotRotate:
                form.add_error(None, _("This key already has a successor, or is no longer valid."))
            else:
                return self.show_once(request, new)
        back = reverse("admin:access_apikey_change", args=[key.pk])
        return self.render_page(request, "access/key_form.html", page | {"form": form, "back": back})

    @VerbAction(
        button=_("Revoke"),
        permission="revoke",
        icon="block",
        variant=ActionVariant.DANGER,
        title=_("Revoke this key?"),
        description=_("Programs that use this key are refused immediately. This cannot be undone."),
        submit=_("Revoke"),
    )
    def revoke(self, request: HttpRequest, chosen: Iterable[ApiKey]) -> None:
        working = [key for key in chosen if not key.revoked_at]
        for key in working:
            keys.revoke_key(key_id=key.pk, author=acting_author(request))
        self.message_user(request, revoked(len(working)), messages.SUCCESS)

    @sensitive_variables("new")
    def show_once(self, request: HttpRequest, new: keys.NewKey) -> HttpResponse:
        """Shows the key on the answer itself: a message would be stored in a cookie. Browsers must not cache it."""
        context = {"title": _("New API key"), "new": new, "back": self.list_url()}
        return self.render_page(request, "access/new_key.html", context)

    def list_url(self) -> str:
        return reverse("admin:access_apikey_changelist")

    @display(description=_("scope"))
    def scope(self, key: ApiKey) -> str:
        return str(key.source or gettext("management"))

    @display(description=_("state"), label=COLOURS)
    def badge(self, key: ApiKey) -> tuple[str, str]:
        return key.state, str(key.state.label)

    @display(description=_("state"))
    def state(self, key: ApiKey) -> str:
        return str(capfirst(key.state.label))
