"""The e-mails that bring one-time links, as plain text in the language of the page that sends them."""

import logging
import smtplib
import threading

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.invitations import VALID
from accounts.models import Invitation

log = logging.getLogger(__name__)


def can_send_by_oneself() -> bool:
    """Whether a link may be sent to somebody who only claims to be the owner of an account.

    With any host name allowed, that person could make the mail lead to a page of their own.
    """
    return settings.IS_EMAIL_CONFIGURED and "*" not in settings.ALLOWED_HOSTS


@sensitive_variables("url")
def invitation_letter(invitation: Invitation, url: str) -> EmailMessage:
    return EmailMessage(
        subject=_("Invitation to CRM Lead Router"),
        body=_(
            "Hello %(name)s,\n\n"
            "you are invited to CRM Lead Router. Open this link and choose a user name and a password:\n\n"
            "%(url)s\n\n"
            "The link works once, for %(days)s days. Do not pass it on: anyone who opens it gets your account.\n"
        )
        % {"name": invitation.name, "url": url, "days": VALID.days},
        to=[invitation.email],
    )


@sensitive_variables("url")
def password_letter(user: User, url: str) -> EmailMessage:
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return EmailMessage(
        subject=_("A new password for CRM Lead Router"),
        body=_(
            "Hello %(name)s,\n\n"
            "open this link to choose a new password for the user name %(username)s:\n\n"
            "%(url)s\n\n"
            "The link works once, for %(hours)s hours. If you have not asked for it, ignore this mail: "
            "the password stays as it is.\n"
        )
        % {
            "name": user.get_full_name() or user.get_username(),
            "username": user.get_username(),
            "url": url,
            "hours": hours,
        },
        to=[user.email],
    )


def send(letter: EmailMessage) -> bool:
    """Whether the mail server has taken it."""
    try:
        letter.send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("A one-time link could not be sent by e-mail: %s", type(error).__name__)
        return False
    return True


def send_later(letters: list[EmailMessage]) -> None:
    """Beside the answer, which must not take longer where there is an account than where there is none."""
    if letters:
        threading.Thread(target=lambda: [send(letter) for letter in letters], daemon=True).start()
