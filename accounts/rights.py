"""Nobody grants what they do not have: what a user may pass on, and whether somebody has more."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet


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


def grantable_roles(user: Any) -> QuerySet[Group]:
    """The roles with no permission that this user does not have."""
    more = Permission.objects.exclude(pk__in=held(user))
    return Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=more))
