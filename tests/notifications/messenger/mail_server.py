"""A mail server on a real socket, which keeps what it gets."""

import email
import email.policy
import socket
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from crm_router.mail import mail_settings


class MailServer:
    """`refuse` maps an address to the answer that refuses it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.has_mail = threading.Event()
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> "MailServer":
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    def use(self, settings: Any) -> None:
        use_port(settings, self.port)
        settings.IS_EMAIL_CONFIGURED = True

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.has_mail.set()
        return "250 OK"

    def wait_for_mail(self, timeout: float = 60) -> EmailMessage:
        """The first mail, also if another thread sends it a little later."""
        assert self.has_mail.wait(timeout), "no mail came"
        return self.mails[0]

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


def use_port(settings: Any, port: int) -> None:
    """Django sends to this port from now on."""
    for name, value in mail_settings({"host": "127.0.0.1", "port": port}).items():
        setattr(settings, name, value)


def free_port() -> int:
    """aiosmtpd cannot be asked which port the system has chosen."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
