"""Records changes of users and roles, which Django's own pages and commands save, as changes of configuration."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet

from core import retry
from core.changes.recording import Author, record_change, values_of

STATES = ("username", "is_active", "is_staff", "is_superuser")


def state_of(account: User | Group) -> dict[str, Any]:
    """What an account or a role may do, as it is stored now. Names of people and addresses are not recorded."""
    if isinstance(account, User):
        roles = sorted(account.groups.values_list("name", flat=True))
        own = permission_names(account.user_permissions.all())
        return values_of(account, STATES) | {"roles": roles, "permissions": own}
    return {"name": account.name, "permissions": permission_names(account.permissions.all())}


def permission_names(permissions: QuerySet[Permission]) -> list[str]:
    return sorted(".".join(pair) for pair in permissions.values_list("content_type__app_label", "codename"))


def record_account(
    what: str, author: Author, account: User | Group, *, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """`what` without the kind of account, such as "created". `before` and `after`: see `state_of`."""
    is_user = isinstance(account, User)
    subject = account.get_username() if isinstance(account, User) else account.name
    for attempt in retry.attempts():
        with attempt:
            record_change(
                f"{'user' if is_user else 'role'}.{what}",
                author,
                before=before,
                after=after,
                subject=subject,
                subject_id=account.pk,
            )


def record_password(author: Author, user: User) -> None:
    """That somebody else has set a new password, never which."""
    record_account("password_reset", author, user, before={}, after={"password": "new"})


def record_password_link(author: Author, user: User) -> None:
    """That somebody has made a one-time link for a new password, never which."""
    record_account("password_link", author, user, before={}, after={"password_link": "new"})
