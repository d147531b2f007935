"""Calls of Telegram's Bot API (https://core.telegram.org/bots/api). The token is part of each address, so that no error
of the HTTP library is passed on: they quote the address."""

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    import requests  # else imported at the first call: most processes never make one

CONNECT, ANSWER = 5, 15  # seconds
LONG_POLL = 5  # seconds that Telegram keeps a call of getUpdates open; a worker that stops waits for it
NOT_MODIFIED = "message is not modified"
GONE = ("chat not found", "user is deactivated", "bot was blocked", "bot can't initiate conversation")

threads = threading.local()  # `session`: of this thread


class TelegramError(Exception):
    """A call that Telegram has refused, or that got no answer: `code` is None then, and it may have been carried out.

    `retry_after`: seconds that Telegram asks to wait.
    """

    def __init__(self, description: str, *, code: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {description}" if code else description)
        self.description = description
        self.code = code
        self.retry_after = retry_after

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be sent to this chat any more: blocked, deleted, or unknown."""
        return self.code == 403 or (self.code == 400 and any(words in self.description.lower() for words in GONE))

    @property
    def is_final(self) -> bool:
        """Whether the same call would be refused again."""
        return self.code == 400


def is_configured() -> bool:
    return bool(settings.TELEGRAM_BOT_TOKEN)


def token_digest() -> str:
    return hashlib.sha256(settings.TELEGRAM_BOT_TOKEN.encode()).hexdigest()


def call(method: str, *, wait: float = ANSWER, **parameters: Any) -> Any:
    """Calls a method with these parameters, None for not given; returns its result. Raises TelegramError."""
    import requests

    given = {name: value for name, value in parameters.items() if value is not None}
    url = f"{settings.TELEGRAM_API_URL}/bot{settings.TELEGRAM_BOT_TOKEN}/{method}"
    try:
        response = session().post(url, json=given, timeout=(CONNECT, wait), allow_redirects=False)
        status, answer = response.status_code, json_of(response)
        failure = ""
    except requests.RequestException as error:
        status, answer, failure = None, None, type(error).__name__
    # Raised outside of the block above, so that no traceback has the library's error.
    if failure:
        raise TelegramError(f"Telegram cannot be reached ({failure})")
    if not isinstance(answer, dict):
        raise TelegramError("Telegram's answer cannot be read", code=status if status and status >= 400 else None)
    if not answer.get("ok"):
        raise refusal_of(answer, status)
    return answer.get("result")


def session() -> "requests.Session":
    import requests

    if not hasattr(threads, "session"):
        threads.session = requests.Session()
    found: requests.Session = threads.session
    return found


def json_of(response: "requests.Response") -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def refusal_of(answer: dict[str, Any], status: int | None) -> TelegramError:
    code, parameters = answer.get("error_code"), answer.get("parameters")
    retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return TelegramError(
        str(answer.get("description") or "refused")[:150].replace(settings.TELEGRAM_BOT_TOKEN, "…"),
        code=code if isinstance(code, int) else status,
        retry_after=float(retry_after) if isinstance(retry_after, int | float) else None,
    )
