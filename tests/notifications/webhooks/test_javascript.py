"""The published JavaScript library verifies what we send."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from notifications.webhooks.signing import make_secret, sign_body

pytestmark = [pytest.mark.node, pytest.mark.once]

PROGRAM = Path(__file__).parent / "javascript"
BODY = '{"type": "contact.assigned", "timestamp": "2026-11-27T12:00:00Z", "data": {"id": 1, "operator": "Анна"}}'


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copytree(PROGRAM, folder, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, timeout=300)
    return folder


def verified(program, *, secret, keys, body=BODY):
    """What the receiver with this secret makes of a body that was signed with these keys."""
    headers = sign_body(BODY, message_id="evt_1", at=timezone.now(), keys=keys)
    asked = json.dumps({"secret": secret, "body": body, "headers": headers})
    answer = subprocess.run(["node", "verify.js"], cwd=program, input=asked, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def test_a_receiver_in_javascript_takes_our_signature(program):
    secret = make_secret()
    assert json.loads(verified(program, secret=secret, keys=[secret])) == json.loads(BODY)


def test_both_secrets_are_taken_after_a_rotation(program):
    old, new = make_secret(), make_secret()
    for secret in (old, new):
        assert json.loads(verified(program, secret=secret, keys=[new, old])) == json.loads(BODY)


def test_a_changed_body_and_a_foreign_secret_are_refused(program):
    secret = make_secret()
    assert verified(program, secret=secret, keys=[secret], body=BODY.replace("1", "2")) == "refused"
    assert verified(program, secret=secret, keys=[make_secret()]) == "refused"
