"""The roles: groups of Django's, made by a migration, which also lists what each is allowed."""

from collections.abc import Iterable
from typing import Any

from django.apps.registry import Apps
from django.utils.translation import pgettext_lazy

SUPERVISOR = "Supervisor"
OPERATOR = "Operator"
ADMINISTRATOR = "Administrator"
ROLES = (SUPERVISOR, OPERATOR, ADMINISTRATOR)
TITLES = {
    SUPERVISOR: pgettext_lazy("role", "Supervisor"),
    OPERATOR: pgettext_lazy("role", "Operator"),
    ADMINISTRATOR: pgettext_lazy("role", "Administrator"),
}


def role_names(user: Any) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def role_title(group: Any) -> str:
    """The translated name of a role of the service; the stored name of any other group."""
    return str(TITLES.get(group.name, group.name))


def grant_permissions(apps: Apps, database: str, role: str, permissions: Iterable[str]) -> None:
    """For migrations: allows the role these, such as "routing.view_contact". Repeating it changes nothing.

    Django makes its permissions after all migrations only, so that they may have to be made here. It finds them then.
    """
    group, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=role)
    group.permissions.add(*(get_or_create_permission(apps, database, name) for name in permissions))


def get_or_create_permission(apps: Apps, database: str, name: str) -> Any:
    app, codename = name.split(".")
    verb, model = codename.split("_")
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    content_type, _ = content_types.get_or_create(app_label=app, model=model)
    meta = apps.get_model(app, model)._meta
    label = dict(meta.permissions).get(codename, f"Can {verb} {meta.verbose_name}")
    found, _ = permissions.get_or_create(content_type=content_type, codename=codename, defaults={"name": label})
    return found
