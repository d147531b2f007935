"""Users and roles (Django's users and groups) on pages of the back-office.

A user can grant only permissions that they have, and cannot change an account or a role that has more.
"""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Exists, ManyToManyField, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from accounts import roles, two_factor
from accounts.account_changes import record_account, record_password, state_of
from core import retry
from core.admin import formatting
from core.admin.forms import ChangesOnly
from core.admin.own_history import OwnHistory
from core.admin.titles import PlainTitles
from core.admin.verbs import acting_author
from operators.models import Operator
from routing import operator_actions

VERBS = {
    "view": pgettext_lazy("permission", "view"),
    "add": pgettext_lazy("permission", "add"),
    "change": pgettext_lazy("permission", "change"),
    "delete": pgettext_lazy("permission", "delete"),
    "revert": pgettext_lazy("permission", "revert"),
    "answer": pgettext_lazy("permission", "see and resolve their own contacts"),
}

admin.site.index_title = _("Overview")
admin.site.empty_value_display = formatting.NOTHING
apps.get_app_config("auth").verbose_name = _("Access")  # as the sidebar calls it
Group.__str__ = roles.role_title  # type: ignore[method-assign] # in lists, choices, filters and titles alike
# A group of Django's is a role on every page; the migrations of django.contrib.auth are compared without this.
Group._meta.verbose_name, Group._meta.verbose_name_plural = _("role"), _("roles")
Group._meta.get_field("name").verbose_name = pgettext_lazy("of a source", "name")
User._meta.get_field("groups").verbose_name = _("roles")
# Imported from where they are registered; the pages of the last two would show secrets.
for model in (User, Group, TOTPDevice, StaticDevice):
    admin.site.unregister(model)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """Permissions in the user's language; Django stores their names in English."""

    def label_from_instance(self, permission: Any) -> str:
        verb = permission.codename.partition("_")[0]
        return f"{capfirst(permission.content_type.name)}: {VERBS.get(verb, permission.name)}"


def held(user: Any) -> QuerySet[Permission]:
    """The permissions that this user has and may grant."""
    mine = Permission.objects.all()
    return mine if user.is_superuser else mine.filter(Q(user=user) | Q(group__user=user)).distinct()


def exceeds(holder: Any, user: Any) -> bool:
    """Whether `holder`, a user or a group, may do anything that `user` may not."""
    if user.is_superuser:
        return False
    theirs = held(holder) if isinstance(holder, User) else holder.permissions.all()
    return getattr(holder, "is_superuser", False) or theirs.exclude(pk__in=held(user)).exists()


class WithinOwnRights(OwnHistory, PlainTitles, ModelAdmin):
    """Offers only the permissions of models that have a page, and of those only what the user has."""

    warn_unsaved_form = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and exceeds(obj, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and exceeds(obj, request.user))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Locks what is about to be saved, in Django's transaction around the page: the form then sees all changes."""
        found = super().get_object(request, object_id, from_field)
        if found and request.method == "POST" and connection.in_atomic_block:
            self.model._default_manager.select_for_update(no_key=True).get(pk=found.pk)
            found = super().get_object(request, object_id, from_field)
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Saves only the columns that the user has changed."""
        columns = {field.name for field in obj._meta.concrete_fields}
        form.state_before = state_of(self.model._default_manager.get(pk=obj.pk)) if change else {}
        obj.save(update_fields=columns.intersection(form.changed_data) if change else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Records the change after roles and permissions have been saved too, in the transaction of the page."""
        super().save_related(request, form, formsets, change)
        what = "changed" if change else "created"
        after = state_of(form.instance)
        record_account(what, acting_author(request), form.instance, before=form.state_before, after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        for attempt in retry.attempts():
            with attempt:
                record_account("deleted", acting_author(request), obj, before=state_of(obj), after={})
                super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for attempt in retry.attempts():
            with attempt:
                for account in queryset:
                    record_account("deleted", acting_author(request), account, before=state_of(account), after={})
                super().delete_queryset(request, queryset)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget  # two lists side by side are no use on a phone
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionField
            pages = ContentType.objects.get_for_models(*self.admin_site._registry).values()
            kwargs["queryset"] = held(request.user).select_related("content_type").filter(content_type__in=pages)
        if db_field.related_model is Group:
            kwargs["help_text"] = _("A user has the permissions of all their roles.")
            more = Permission.objects.exclude(pk__in=held(request.user))
            kwargs["queryset"] = Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=more))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Lists the accounts or roles only, not the rows that link them to permissions and devices."""
        _all, _counts, lacking, protected = super().get_deleted_objects(objs, request)
        return [str(one) for one in objs], {self.opts.verbose_name_plural: len(objs)}, lacking, protected


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


@admin.register(User)
class UserAdmin(BaseUserAdmin, WithinOwnRights):  # type: ignore[type-arg] # not subscriptable at run time
    form = AccountForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    add_title = _("Add a user")
    history_query = "subject=user:%s"
    list_display = ["username", "first_name", "last_name", "named_roles", "is_active", "two_factor"]
    list_filter = ["is_active", "groups"]
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2"]})]
    readonly_fields = ["new_password", "two_factor", "last_login", "date_joined"]
    actions_detail = ["reset_two_factor_this"]
    fieldsets = [
        (None, {"fields": ["username", "new_password", "two_factor"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "groups", "operator"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    for_superusers = (_("Additional permissions"), {"fields": ["is_superuser", "user_permissions"]})

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self.for_superusers] if obj and request.user.is_superuser else fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        app = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).prefetch_related("groups").annotate(has_app=Exists(app))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # the back-office is all there is to sign in to
        super().save_model(request, obj, form, change)
        if change and "operator" in form.changed_data:
            chosen = form.cleaned_data["operator"]
            operator_actions.link_account(
                user_id=obj.pk, operator_id=chosen and chosen.pk, author=acting_author(request)
            )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        user = self.get_object(request, unquote(id))
        with transaction.atomic():
            former = user and user.password
            response = super().user_change_password(request, id, form_url)
            if user and self.model._default_manager.get(pk=user.pk).password != former:
                record_password(acting_author(request), user)
        return response

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

    @display(description=_("roles"))
    def named_roles(self, user: User) -> str:
        return ", ".join(str(group) for group in user.groups.all()) or formatting.NOTHING

    @display(description=_("password"))
    def new_password(self, user: User) -> SafeString:
        """A link to set a new one instead of the stored hash."""
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', url, gettext("Set a new password"))

    @display(description=_("two-factor sign-in"), boolean=True)
    def two_factor(self, user: User) -> bool:
        return bool(user.has_app)  # type: ignore[attr-defined] # annotated by get_queryset


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, WithinOwnRights):
    form = ChangesOnly
    add_title = _("Add a role")
    history_query = "subject=role:%s"

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        """The three roles of the service are shown with their translated names."""
        return ["role" if is_role(obj) else "name", "permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        return ["role"] if is_role(obj) else []

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_role(obj)

    @display(description=pgettext_lazy("of a source", "name"))
    def role(self, group: Group) -> str:
        return roles.role_title(group)


def is_role(group: Group | None) -> bool:
    """Whether it is one of the three roles whose names settings and code use; they cannot be renamed."""
    return group is not None and group.name in roles.ROLES
