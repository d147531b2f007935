"""Who may sign in to the back-office: Django's own users and groups, in the back-office's look."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

VERBS = {
    "view": pgettext_lazy("permission", "look at"),
    "add": pgettext_lazy("permission", "add"),
    "change": pgettext_lazy("permission", "change"),
    "delete": pgettext_lazy("permission", "delete"),
}

admin.site.index_title = _("Overview")
admin.site.unregister(User)
admin.site.unregister(Group)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """Django keeps the names of permissions in English; people read them in their own language."""

    def label_from_instance(self, permission: Any) -> str:
        verb = permission.codename.partition("_")[0]
        return f"{capfirst(permission.content_type.name)}: {VERBS.get(verb, permission.name)}"


class PermissionsOfPages(ModelAdmin):
    """Offers the permissions of what has a page here, and no others."""

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionField
            pages = ContentType.objects.get_for_models(*self.admin_site._registry).values()
            kwargs["queryset"] = Permission.objects.select_related("content_type").filter(content_type__in=pages)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(User)
class UserAdmin(BaseUserAdmin, PermissionsOfPages):  # type: ignore[type-arg] # not subscriptable at run time
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, PermissionsOfPages):
    pass
