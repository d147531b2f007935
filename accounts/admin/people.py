"""People: who signs in, with which role and as which operator; inviting them, and links for a forgotten password."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.admin import TOTPDevice
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import UserChangeForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import letters, passwords, two_factor
from accounts.admin import invite_pages
from accounts.admin.base import WithinOwnRights
from accounts.link_pages import password_url
from core.admin import formatting
from core.admin.forms import ChangesOnly
from core.admin.own_pages import OwnPages
from core.admin.verbs import acting_author
from operators.models import Operator
from routing import operator_actions

STATES = {True: pgettext_lazy("account", "active"), False: pgettext_lazy("account", "switched off")}


class AccountForm(ChangesOnly, UserChangeForm):
    operator = forms.ModelChoiceField(
        Operator.objects.none(),
        label=_("Operator"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("The operator that this user is. With the role Operator, a user sees only their own contacts."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "operator" in self.fields:
            free = Q(user__isnull=True) | Q(user=self.instance)
            choice: Any = self.fields["operator"]
            choice.queryset = Operator.objects.current().filter(free).order_by("name", "pk")
            self.initial["operator"] = Operator.objects.current().filter(user=self.instance).first()


class PersonAdmin(BaseUserAdmin, WithinOwnRights, OwnPages):  # type: ignore[type-arg] # not subscriptable at run time
    form = AccountForm
    history_query = "subject=user:%s"
    list_display = ["person", "named_roles", "operator_link", "last_login", "state", "two_factor"]
    list_filter = ["is_active", "groups"]
    list_select_related = ["operator"]
    list_before_template = "accounts/invitations.html"
    search_help_text = _("User name, name or e-mail")
    show_add_link = False  # its place is taken by the button that says what it does
    readonly_fields = ["new_password", "two_factor", "last_login", "date_joined"]
    actions_list = ["invite"]
    actions_detail = ["reset_two_factor_this"]
    fieldsets = [
        (None, {"fields": ["username", "new_password", "two_factor"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "groups", "operator"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    for_superusers = (
        _("Additional permissions"),
        {
            "fields": ["is_superuser", "user_permissions"],
            "classes": ["collapse"],
            "description": _("Roles are enough for nearly everybody."),
        },
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self.for_superusers] if obj and request.user.is_superuser else fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        app = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).prefetch_related("groups").annotate(has_app=Exists(app))

    def get_urls(self) -> list[Any]:
        pages = [
            path(
                f"invitations/<id:invitation_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"auth_user_invitation_{name}",
            )
            for name, view in (("again", invite_pages.again_page), ("withdraw", invite_pages.withdraw_page))
        ]
        return pages + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, (extra_context or {}) | invite_pages.pending_invitations(request))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return invite_pages.invite_page(request)

    @action(
        description=_("Invite…"),
        url_path="invite",
        permissions=["add"],
        icon="person_add",
        variant=ActionVariant.PRIMARY,
    )
    def invite(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:auth_user_add")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "operator" in form.changed_data:
            chosen = form.cleaned_data["operator"]
            operator_actions.link_account(
                user_id=obj.pk, operator_id=chosen and chosen.pk, author=acting_author(request)
            )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """A one-time link, with which the user chooses a new password, instead of a password that two people know."""
        user = self.get_object(request, unquote(id))
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        page = {"title": gettext("New password: %(name)s") % {"name": user}, "account": user}
        if request.method != "POST" or not user.is_active:
            return self.render_page(request, "accounts/password_link.html", page)
        url = password_url(request, passwords.make_link_for(user, acting_author(request)))
        sent = {}
        if settings.IS_EMAIL_CONFIGURED and user.email:
            sent = {"email": user.email, "is_sent": letters.send(letters.password_letter(user, url))}
        until = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        made = {"url": url, "until": until, "for_password": True, "back": user_url(user)}
        return self.render_page(request, "accounts/new_link.html", page | sent | made)

    def has_reset_permission(self, request: HttpRequest, object_id: Any) -> bool:
        user = self.get_object(request, object_id)
        return bool(user and user.has_app and self.has_change_permission(request, user))

    @action(
        description=_("Reset two-factor sign-in"),
        permissions=["reset"],
        icon="lock_reset",
        dialog={
            "title": _("Reset two-factor sign-in?"),
            "description": _(
                "The app and the recovery codes of this account stop working. Check first that the owner of the "
                "account has asked for this: afterwards the password alone is enough to sign in."
            ),
            "form_submit_text": _("Reset"),
        },
    )
    def reset_two_factor_this(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        user = self.get_object(request, object_id)
        two_factor.reset_second_factor(user, acting_author(request))
        self.message_user(request, _("Two-factor sign-in was reset."), messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": reverse("admin:auth_user_change", args=[object_id])})

    @display(description=pgettext_lazy("of a user", "person"), header=True, ordering="username")
    def person(self, user: User) -> list[str]:
        full_name = user.get_full_name()
        return [full_name, user.get_username()] if full_name else [user.get_username(), user.email]

    @display(description=_("roles"))
    def named_roles(self, user: User) -> str:
        named = [*([gettext("superuser")] if user.is_superuser else []), *map(str, user.groups.all())]
        return ", ".join(named) or formatting.NOTHING

    @display(description=_("operator"), ordering="operator__name")
    def operator_link(self, user: User) -> str:
        operator = getattr(user, "operator", None)
        return operator.name if operator and not operator.archived_at else formatting.NOTHING

    @display(description=_("state"), label={True: "success", False: "danger"}, ordering="is_active")
    def state(self, user: User) -> tuple[bool, str]:
        return user.is_active, str(STATES[user.is_active])

    @display(description=_("password"))
    def new_password(self, user: User) -> SafeString:
        """A link to a page that makes a new one instead of the stored hash."""
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', url, gettext("One-time link for a new password…"))

    @display(description=_("two-factor sign-in"), boolean=True)
    def two_factor(self, user: User) -> bool:
        return bool(user.has_app)  # type: ignore[attr-defined] # annotated by get_queryset


def user_url(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])
