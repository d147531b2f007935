"""The receiver of docs/integrations.md, run as it stands, and told by the service."""

import os
import subprocess
import sys

import pytest

from notifications.webhooks import actions, sending
from tests import characters
from tests.docs import documents
from tests.notifications.webhooks.conftest import deliver
from tests.service.running import free_port, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

[RECEIVER] = [text for text in documents.programs(documents.DOCS / "integrations.md") if "receiver.py PORT" in text]


def test_the_receiver_prints_who_gets_what(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.1"]
    sending.close_session()
    port = free_port()
    webhook = actions.create_webhook(url=f"http://127.0.0.1:{port}/", types=["contact.assigned", "contact.queued"])
    environment = {"PATH": os.environ["PATH"], "SECRET": webhook.secret}
    command = [sys.executable, "-c", RECEIVER, str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout
        try:
            wait_until(lambda: actions.send_test(webhook_id=webhook.pk).status, "the receiver answers")
            source = characters.source(roster={characters.operator("Anna", limit=1): 1})
            first, second = characters.contact(source), characters.contact(source)
            deliver()
            lines = {receiver.stdout.readline() for _ in range(2)}
        finally:
            receiver.kill()
    assert lines == {f"contact.assigned {first.pk} Anna\n", f"contact.queued {second.pk} None\n"}
