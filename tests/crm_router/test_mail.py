"""EMAIL_URL names the mail server."""

import pytest
from django.core.mail import EmailMessage
from environs import EnvError

from crm_router.mail import mail_settings, parse_email_url
from tests.notifications.messenger.mail_server import MailServer


@pytest.mark.parametrize("text", ["mail.example.com", "https://mail.example.com", "smtp://", "smtp://mail:many"])
def test_what_is_no_mail_server_is_an_error(text):
    with pytest.raises(EnvError, match="is not a mail server"):
        parse_email_url(text)


def test_a_port_of_submission_is_encrypted():
    server = parse_email_url("submission://anna:p%40ss@mail.example.com")
    assert server == {
        "host": "mail.example.com",
        "port": 587,
        "username": "anna",
        "password": "p@ss",
        "use_tls": True,
    }


def test_the_named_server_gets_the_mail(settings):
    with MailServer() as server:
        named = parse_email_url(f"smtp://127.0.0.1:{server.port}?timeout=60")
        for name, value in mail_settings(named).items():
            setattr(settings, name, value)
        EmailMessage(subject="Hello", to=["anna@example.com"]).send()
    assert server.subjects == ["Hello"]
