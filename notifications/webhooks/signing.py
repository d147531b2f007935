"""Makes secrets and signs bodies, as Standard Webhooks 1.0 says (standardwebhooks.com)."""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign_body(body: str, *, message_id: str, at: datetime, keys: Iterable[str]) -> dict[str, str]:
    """The headers of one attempt. Each secret signs, so that a receiver may have either of two while it is changed."""
    from standardwebhooks import Webhook  # only where something is sent

    at = at.astimezone(UTC)
    signatures = (Webhook(key).sign(message_id, at, body) for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
