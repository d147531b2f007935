"""Invitations: who may become a user by a one-time link, and what happens when the link is used."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.account_changes import record_account, state_of
from accounts.models import Invitation
from accounts.rights import exceeds
from core import retry
from core.changes.models import Via
from core.changes.recording import Author, record_change
from core.errors import Conflict
from operators.models import Operator
from routing import operator_actions

VALID = timedelta(days=7)
NEW_LIMIT = 10  # contacts at once, of an operator who is made together with the invitation
USER = "user "  # how authors of changes begin who are users


@dataclass(frozen=True)
class NewLink:
    """An invitation and its token, for the one answer that shows it."""

    invitation: Invitation
    token: str = field(repr=False)


def invite(
    *, name: str, email: str, role: Group, operator: Operator | None, makes_operator: bool = False, author: Author
) -> NewLink:
    """Stores an invitation. With `makes_operator` also an operator of this name: off duty, on no roster, limit 10."""
    token = new_token()
    for attempt in retry.attempts():
        with attempt:
            if makes_operator:
                operator = operator_actions.create_operator(
                    name=name, is_active=False, max_load=NEW_LIMIT, author=author
                )
            invitation = Invitation.objects.create(
                name=name,
                email=email,
                role=role,
                operator=operator,
                token_hash=digest(token),
                invited_by=author.by,
                expires_at=timezone.now() + VALID,
            )
            record_invitation("created", author, invitation)
    return NewLink(invitation, token)


def invite_again(*, invitation_id: int, author: Author) -> NewLink:
    """Another link for seven days in place of the former one, which stops working. Raises Conflict `not_pending`."""
    token = new_token()
    for attempt in retry.attempts():
        with attempt:
            invitation = lock_pending(invitation_id)
            invitation.token_hash, invitation.invited_by = digest(token), author.by
            invitation.expires_at = timezone.now() + VALID
            invitation.save(update_fields=["token_hash", "invited_by", "expires_at"])
            record_invitation("renewed", author, invitation)
    return NewLink(invitation, token)


def withdraw(*, invitation_id: int, author: Author) -> Invitation:
    """Makes the link stop working. Raises Conflict `not_pending` if it was used or withdrawn already."""
    for attempt in retry.attempts():
        with attempt:
            invitation = lock_pending(invitation_id)
            invitation.withdrawn_at = timezone.now()
            invitation.save(update_fields=["withdrawn_at"])
            record_invitation("withdrawn", author, invitation)
    return invitation


def find_open(token: str) -> Invitation | None:
    """The invitation that this token opens now; None if it is unknown, used, withdrawn or expired."""
    found = Invitation.objects.select_related("role", "operator").filter(token_hash=digest(token)).first()
    return found if found and is_open(found) else None


def is_open(invitation: Invitation) -> bool:
    """Whether the link works: it must not give more than the inviter could give today."""
    if invitation.used_at or invitation.withdrawn_at or invitation.expires_at <= timezone.now():
        return False
    inviter = User.objects.filter(username=invitation.invited_by.removeprefix(USER), is_active=True).first()
    return inviter is not None and inviter.has_perm("auth.add_user") and not exceeds(invitation.role, inviter)


@sensitive_variables("password")
def accept(*, invitation_id: int, username: str, password: str) -> User:
    """Makes the user, with role and operator of the invitation, which is used up then.

    An operator who is archived or somebody else's by now is not linked. Raises Conflict: `link_invalid`, or
    `username_taken`.
    """
    hashed = User(username=username)
    hashed.set_password(password)  # takes a third of a second: before anything is locked
    for attempt in retry.attempts():
        with attempt:
            invitation = lock_pending(invitation_id)
            if not is_open(invitation):
                raise Conflict("link_invalid", _("This link is no longer valid."))
            if User.objects.filter(username__iexact=username).exists():
                raise Conflict("username_taken", _("Somebody has this user name already. Please choose another one."))
            user = store_user(invitation, username, hashed.password)
            author = Author(f"{USER}{username}", Via.PAGE)
            record_account("created", author, user, before={}, after=state_of(user))
            if operator := free_operator(invitation):
                operator_actions.link_account(user_id=user.pk, operator_id=operator.pk, author=author)
            invitation.used_at, invitation.user = timezone.now(), user
            invitation.save(update_fields=["used_at", "user"])
    return user


def store_user(invitation: Invitation, username: str, hashed: str) -> User:
    first, _blank, last = invitation.name.partition(" ")
    user = User.objects.create(
        username=username,
        password=hashed,
        first_name=first,
        last_name=last,
        email=invitation.email,
        is_staff=True,  # the back-office is all there is to sign in to
    )
    user.groups.set([invitation.role])
    return user


def free_operator(invitation: Invitation) -> Operator | None:
    """The operator of the invitation, unless archived or somebody else's by now."""
    free = Operator.objects.current().filter(user__isnull=True)
    return free.filter(pk=invitation.operator_id).first() if invitation.operator_id else None


def lock_pending(invitation_id: int) -> Invitation:
    """Its role and operator are read again when they are needed. Raises Conflict `not_pending`."""
    found = Invitation.objects.pending().select_for_update(no_key=True).filter(pk=invitation_id).first()
    if found is None:
        raise Conflict("not_pending", _("This invitation was used or withdrawn already."))
    return found


def record_invitation(what: str, author: Author, invitation: Invitation) -> None:
    """Never with the token, and without the address."""
    values: dict[str, Any] = {"role": invitation.role.name, "expires_at": invitation.expires_at.isoformat()}
    record_change(
        f"invitation.{what}",
        author,
        before={},
        after=values,
        operator_id=invitation.operator_id,
        subject=invitation.name,
        subject_id=invitation.pk,
    )


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256: what is random needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
