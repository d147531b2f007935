"""New passwords by one-time link: for those who have forgotten theirs, and from an administrator.

The tokens are Django's: signed, not stored, worthless after the password was changed, after the next sign-in and after
PASSWORD_RESET_TIMEOUT.
"""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Q
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.account_changes import record_password, record_password_link
from core import retry
from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Conflict
from core.ids import is_id


def make_link(user: User) -> dict[str, str]:
    """What the address of the page consists of."""
    return {"account": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}


def make_link_for(user: User, author: Author) -> dict[str, str]:
    """By an administrator, which is recorded."""
    record_password_link(author, user)
    return make_link(user)


def find_account(account: str, token: str) -> User | None:
    """Whose password this link may set now; None if it is wrong, used or expired, or the account is switched off."""
    try:
        pk = urlsafe_base64_decode(account).decode("ascii")
    except ValueError:
        return None
    user = User.objects.filter(pk=int(pk), is_active=True).first() if is_id(pk) else None
    return user if user and default_token_generator.check_token(user, token) else None


def accounts_with_mail(claimed: str) -> list[User]:
    """Those that a person means who gives this user name or e-mail, as far as they can get mail."""
    meant = Q(username__iexact=claimed) | Q(email__iexact=claimed)
    return [user for user in User.objects.filter(meant, is_active=True).exclude(email="") if user.has_usable_password()]


@sensitive_variables("password")
def set_password(*, user_id: int, token: str, password: str) -> User:
    """Sets the password, whose former sessions end. Raises Conflict `link_invalid` if the link was used meanwhile."""
    hashed = User()
    hashed.set_password(password)  # takes a third of a second: before anything is locked
    for attempt in retry.attempts():
        with attempt:
            found = User.objects.select_for_update(no_key=True).filter(pk=user_id, is_active=True)
            if not (found and default_token_generator.check_token(found[0], token)):
                raise Conflict("link_invalid", _("This link is no longer valid."))
            user = found[0]
            user.password = hashed.password
            user.save(update_fields=["password"])
            record_password(Author(f"user {user.get_username()}", Via.PAGE), user)
    return user
