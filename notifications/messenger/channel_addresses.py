"""Reads the address of a channel."""

from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from core import text
from core.errors import FieldError, Invalid
from notifications.messenger.models import Kind
from notifications.webhooks import addresses

LONGEST_CHAT = 19  # digits


def read_address(kind: Kind, address: str) -> str:
    """The address as it is stored. Raises Invalid. Only Telegram's may be empty: it is linked later."""
    address = text.trim(address)
    readers = {Kind.TELEGRAM: read_chat, Kind.EMAIL: read_email, Kind.WEBHOOK: read_url}
    return readers[kind](address)


def read_chat(address: str) -> str:
    """The id of a private chat: that of a group would let everybody in it act as the operator."""
    if address and not (address.isascii() and address.isdigit() and len(address) <= LONGEST_CHAT and int(address)):
        raise invalid(_("This is not the id of a private chat in Telegram. Leave it empty and make a link."))
    return address and str(int(address))


def read_email(address: str) -> str:
    """Before the @ in ASCII only: Django sends to another mailbox otherwise, or not at all."""
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise invalid(_("This is not an e-mail address.")) from None


def read_url(address: str) -> str:
    try:
        return addresses.read_url(address)
    except Invalid as error:
        raise Invalid(*(FieldError("address", one.code, one.detail) for one in error.errors)) from None


def invalid(detail: str) -> Invalid:
    return Invalid(FieldError("address", "invalid", detail))
