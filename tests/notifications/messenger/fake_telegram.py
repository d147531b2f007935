"""A server that speaks the part of Telegram's Bot API that the service uses, for tests and demonstrations.

    python -m tests.notifications.messenger.fake_telegram 8081

prints what the bot does in each chat. The service finds it by TELEGRAM_API_URL=http://127.0.0.1:8081 and
TELEGRAM_BOT_TOKEN=123456:demo. A typed line is what the person of a chat does: "1001 /start TOKEN" writes that, and
"1001 press take:5" presses that button. It keeps to what https://core.telegram.org/bots/api says of errors and lengths.
"""

import json
import re
import sys
import threading
import time
from collections import deque
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "123456:demo"
LONGEST_TEXT, LONGEST_CALLBACK = 4096, 64


class Refused(Exception):
    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class FakeTelegram:
    """The state of the server: chats with their messages, updates that wait to be read, and failures to come.

    `fail_next(method, failure)` makes the next call of that method fail: a Refused, "lost", which carries the call out
    and closes the connection without an answer, or "hang", which carries it out and keeps the connection open. `calls`
    has each call as (moment, method, parameters, code).
    """

    def __init__(self, port: int = 0, *, token: str = TOKEN, echo: bool = False) -> None:
        self.token, self.echo = token, echo
        self.chats: dict[int, dict[int, dict[str, Any]]] = {}
        self.blocked: set[int] = set()
        self.calls: list[tuple[float, str, dict[str, Any], int]] = []
        self.answers: dict[str, dict[str, Any]] = {}  # of callback queries, by id; None: not answered yet
        self.queries: set[str] = set()
        self.failures: dict[str, deque[Refused | str]] = {}
        self.updates: list[dict[str, Any]] = []
        self.newest = 0
        self.webhook: dict[str, Any] | None = None
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.numbers = iter(range(1, 1_000_000_000))
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler_for(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "FakeTelegram":
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    # What people do.

    def write(self, chat_id: int, text: str, *, language: str = "en", kind: str = "private") -> None:
        """A person writes to the bot; that also makes the chat known."""
        with self.changed:
            self.chats.setdefault(chat_id, {})
            sender = {"id": abs(chat_id), "is_bot": False, "first_name": "Anna", "language_code": language}
            message = {"message_id": next(self.numbers), "date": int(time.time()), "text": text, "from": sender}
            self.add_update({"message": message | {"chat": {"id": chat_id, "type": kind}}})

    def press(self, chat_id: int, message_id: int, data: str, *, by: int | None = None) -> str:
        """A person presses a button; returns the id of the query, whose answer comes into `answers`."""
        with self.changed:
            query = f"q{next(self.numbers)}"
            self.queries.add(query)
            shown = self.chats.get(chat_id, {}).get(message_id, {})
            message = {"message_id": message_id, "chat": {"id": chat_id, "type": "private"}, "text": shown.get("text")}
            presser = {"id": by or chat_id, "is_bot": False, "first_name": "Anna"}
            self.add_update({"callback_query": {"id": query, "from": presser, "message": message, "data": data}})
            return query

    def obey(self, line: str) -> None:
        """A line that somebody has typed: the chat, and what its person writes or presses."""
        chat, _space, text = line.strip().partition(" ")
        if not chat.lstrip("-").isdigit() or not text:
            print('Type "1001 /start TOKEN" or "1001 press take:5".', flush=True)
        elif text.startswith("press "):
            data = text.removeprefix("press ")
            having = [message for message in self.messages(int(chat)) if f'"{data}"' in json.dumps(message)]
            self.press(int(chat), having[-1]["message_id"] if having else 0, data)
        else:
            self.write(int(chat), text)

    def add_update(self, update: dict[str, Any]) -> None:
        with self.changed:
            self.newest = next(self.numbers)
            self.updates.append({"update_id": self.newest} | update)
            self.changed.notify_all()

    def fail_next(self, method: str, *failures: "Refused | str") -> None:
        self.failures.setdefault(method, deque()).extend(failures)

    def wait_until(self, condition: Any, *, seconds: float = 20) -> Any:
        """Waits until the condition is true after some call, and returns its value."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), f"It did not come. Calls: {self.calls[-10:]}"
            return condition()

    def newest_update(self) -> int:
        """The number of the last thing that somebody has done."""
        with self.changed:
            return self.newest

    def messages(self, chat_id: int) -> list[dict[str, Any]]:
        return list(self.chats.get(chat_id, {}).values())

    # What the bot calls.

    def handle(self, method: str, given: dict[str, Any]) -> Any:
        calls = {
            "getMe": self.get_me,
            "getUpdates": self.get_updates,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "sendMessage": self.send_message,
            "editMessageText": self.edit_message_text,
            "answerCallbackQuery": self.answer_callback_query,
        }
        if method not in calls:
            raise Refused(404, "Not Found")
        return calls[method](given)

    def get_me(self, given: dict[str, Any]) -> Any:
        return {"id": 123456, "is_bot": True, "first_name": "Router", "username": "crm_router_demo_bot"}

    def get_updates(self, given: dict[str, Any]) -> Any:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(given.get("offset", 0))

        def ready() -> list[dict[str, Any]]:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
            return self.updates[: int(given.get("limit", 100))]

        self.changed.wait_for(ready, int(given.get("timeout", 0)))
        return list(ready())

    def set_webhook(self, given: dict[str, Any]) -> Any:
        if not str(given.get("url", "")).startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = given
        return True

    def delete_webhook(self, given: dict[str, Any]) -> Any:
        self.webhook = None
        return True

    def send_message(self, given: dict[str, Any]) -> Any:
        chat = self.chat(given)
        check_message(given)
        number = next(self.numbers)
        chat[number] = {"message_id": number} | given
        self.show(given["chat_id"], "sends", given)
        return {"message_id": number, "chat": {"id": given["chat_id"]}, "text": given["text"]}

    def edit_message_text(self, given: dict[str, Any]) -> Any:
        chat = self.chat(given)
        check_message(given)
        former = chat.get(given.get("message_id", 0))
        if former is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if all(former.get(name) == given.get(name) for name in ("text", "reply_markup")):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        chat[given["message_id"]] = given
        self.show(given["chat_id"], "edits", given)
        return {"message_id": given["message_id"], "chat": {"id": given["chat_id"]}, "text": given["text"]}

    def answer_callback_query(self, given: dict[str, Any]) -> Any:
        query = given.get("callback_query_id")
        if query not in self.queries or query in self.answers or len(given.get("text", "")) > 200:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answers[query] = given
        self.show("", "answers", given)
        return True

    def chat(self, given: dict[str, Any]) -> dict[int, dict[str, Any]]:
        chat_id = given.get("chat_id")
        if chat_id not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat_id in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return self.chats[chat_id]

    def show(self, chat_id: object, verb: str, given: dict[str, Any]) -> None:
        if self.echo:
            keyboard = given.get("reply_markup", {}).get("inline_keyboard", [])
            buttons = " ".join(f"[{button['text']}]" for row in keyboard for button in row)
            print(f"{time.strftime('%H:%M:%S')} {chat_id} {verb}: {given.get('text', '')}\n  {buttons}", flush=True)


def check_message(given: dict[str, Any]) -> None:
    text = given.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if given.get("parse_mode") == "HTML":  # what counts is what the person sees
        text = unescape(re.sub(r"<[^>]*>", "", text))
    if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
        raise Refused(400, "Bad Request: message is too long")
    for row in given.get("reply_markup", {}).get("inline_keyboard", []):
        for button in row:
            if not button.get("text") or not 1 <= len(button.get("callback_data", "").encode()) <= LONGEST_CALLBACK:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")


def handler_for(telegram: FakeTelegram) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            token, _, method = self.path.removeprefix("/bot").partition("/")
            with telegram.changed:
                code, answer, failure = self.outcome(token, method, body)
                telegram.calls.append((time.monotonic(), method, body, code))
                telegram.changed.notify_all()
            if failure == "hang":
                telegram.closing.wait()
            if failure in ("lost", "hang"):
                self.close_connection = True
            else:
                self.send(code, answer)

        def outcome(self, token: str, method: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], object]:
            waiting = telegram.failures.get(method)
            failure = waiting.popleft() if waiting else None
            try:
                if token != telegram.token:
                    raise Refused(401, "Unauthorized")
                if isinstance(failure, Refused):
                    raise failure
                return 200, {"ok": True, "result": telegram.handle(method, body)}, failure
            except Refused as refused:
                answer: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
                return refused.code, answer | ({"parameters": refused.parameters} if refused.parameters else {}), None

        def send(self, code: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    with FakeTelegram(int(sys.argv[1]) if len(sys.argv) > 1 else 8081, echo=True) as fake:
        print(f"TELEGRAM_API_URL={fake.url} TELEGRAM_BOT_TOKEN={TOKEN}", flush=True)
        for line in sys.stdin:
            fake.obey(line)
        threading.Event().wait()
