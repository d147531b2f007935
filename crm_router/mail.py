"""Django's settings of the mail server."""

import re
from collections.abc import Mapping
from typing import Any

import dj_email_url
import django
from environs import EnvError

SMTP = "django.core.mail.backends.smtp.EmailBackend"
TIMEOUT = 10  # seconds
# What the options of a mailer are called before Django 6.1.
OLDER_NAMES = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
}


def parse_email_url(text: str) -> dict[str, Any]:
    """The options of a mailer; empty for none. The time-out is in seconds."""
    if not text:
        return {}
    if not re.match(r"(smtp|submission)://[^\s/]+", text):
        raise EnvError("is not a mail server (expected submission://user:password@host:587).")
    try:
        found = dj_email_url.parse(text)
    except ValueError as error:
        raise EnvError("is not a mail server: its port or time-out is not a number.") from error
    return {option: found[name] for option, name in OLDER_NAMES.items() if found[name]}


def mail_settings(server: Mapping[str, Any]) -> dict[str, Any]:
    """MAILERS, or before Django 6.1 EMAIL_HOST and so on, for a server with these options."""
    options: dict[str, Any] = {"host": "localhost", "timeout": TIMEOUT, **server}
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": SMTP, "OPTIONS": options}}}
    return {"EMAIL_BACKEND": SMTP, **{OLDER_NAMES[option]: value for option, value in options.items()}}
