"""Roles (Django's groups) on pages of the back-office."""

from typing import Any

from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from accounts import roles
from accounts.admin.base import WithinOwnRights
from core.admin.forms import ChangesOnly


class RoleAdmin(BaseGroupAdmin, WithinOwnRights):
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
