"""What the pages of people and of roles have in common.

A user can grant only permissions that they have, and cannot change an account or a role that has more.
"""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.account_changes import record_account, state_of
from accounts.rights import exceeds, grantable_roles, held
from core import retry
from core.admin.own_history import OwnHistory
from core.admin.titles import PlainTitles
from core.admin.verbs import acting_author

VERBS = {
    "view": pgettext_lazy("permission", "view"),
    "add": pgettext_lazy("permission", "add"),
    "change": pgettext_lazy("permission", "change"),
    "delete": pgettext_lazy("permission", "delete"),
    "revert": pgettext_lazy("permission", "revert"),
    "answer": pgettext_lazy("permission", "see and resolve their own contacts"),
}


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """Permissions in the user's language; Django stores their names in English."""

    def label_from_instance(self, permission: Any) -> str:
        verb = permission.codename.partition("_")[0]
        return f"{capfirst(permission.content_type.name)}: {VERBS.get(verb, permission.name)}"


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
            kwargs["queryset"] = grantable_roles(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Lists the accounts or roles only, not the rows that link them to permissions and devices."""
        _all, _counts, lacking, protected = super().get_deleted_objects(objs, request)
        return [str(one) for one in objs], {self.opts.verbose_name_plural: len(objs)}, lacking, protected
