"""Those who come to the door: accounts in each role."""

import time
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.roles import ROLES

PASSWORD = "correct horse battery"


allowed: dict[str, set[int]] = {}  # role to the ids of its permissions, which stay when tables are emptied


def make_roles() -> None:
    """Tests with several threads have emptied the tables, what migrations had put there included.

    The migration makes them the first time; doing that again takes longer than most tests.
    """
    if Group.objects.filter(name__in=ROLES).count() == len(ROLES):
        return
    ids = set().union(*allowed.values())
    if not ids or Permission.objects.filter(pk__in=ids).count() < len(ids):
        import_module("accounts.migrations.0002_roles").make(apps, connection.schema_editor())
        roles = Group.objects.filter(name__in=ROLES)
        allowed.update({role.name: set(role.permissions.values_list("pk", flat=True)) for role in roles})
        return
    for name, permissions in allowed.items():
        Group.objects.get_or_create(name=name)[0].permissions.set(permissions)


def account(name: str = "vera", *named: str, **fields: Any) -> User:
    """Somebody with these roles."""
    make_roles()
    user = User.objects.create_user(name, is_staff=True, **fields)
    user.groups.set(Group.objects.filter(name__in=named))
    return user


def at_the_browser(user: User) -> Client:
    """Signed in by password, however that was done."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def sign_in(client: Client, password: str = PASSWORD, username: str = "vera", **more: Any) -> Any:
    return client.post("/admin/login/", {"username": username, "password": password}, **more)


def app_of(user: User) -> TOTPDevice:
    """An authenticator app that is set up."""
    return TOTPDevice.objects.create(user=user, confirmed=True, name="app")


def shown_by(app: TOTPDevice, later: int = 0) -> str:
    """The code that the app shows now, or so many steps later."""
    return f"{totp(app.bin_key, app.step, app.t0, app.digits, later):06d}"


def shown_next_by(app: TOTPDevice) -> str:
    """A code that was not used yet, also if the next step has begun while the last one was on its way."""
    app.refresh_from_db()
    steps_since = int(time.time() - app.t0) // app.step - app.last_t
    return shown_by(app, later=max(0, 1 - steps_since))
