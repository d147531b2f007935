"""Parts of pages that follow what happens: the browser asks again and again, and mostly hears that nothing is new.

In a template: `<div data-live="{{ url }}" data-every="10">`, with the first rendering inside. `live.js` asks for the
address and exchanges the inside of the element. It waits while the tab is hidden or somebody types in that part.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

KEPT = 120  # seconds until what nobody asks for is dropped
AGES_STAND = 10  # minutes until a part whose ages the browser counts on is made again


def live_response(
    request: HttpRequest, version: object, render: Callable[[], str | bytes], *, minutes: int = 1
) -> HttpResponse:
    """What `render` returns as HTML, or 304 if the browser has it already.

    `version` changes whenever what is shown does. Ages are shown to the minute, so that each minute is another version
    anyway; AGES_STAND for parts whose ages the browser counts on (`formatting.elapsed`). Language, time zone and user
    are part of it.
    """
    now = timezone.localtime()
    parts = (
        request.path,
        request.GET.urlencode(),
        request.user.pk,
        get_language(),
        timezone.get_current_timezone_name(),
        (now.hour * 60 + now.minute) // minutes,
        version,
    )
    etag = f'W/"{digest(parts)}"'
    unchanged = request.headers.get("If-None-Match") == etag
    response = HttpResponseNotModified() if unchanged else HttpResponse(render())
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache, private"
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response


def wants_news(request: HttpRequest) -> bool:
    """Whether the user has just changed something, and what is kept may be older than that."""
    return "Live-News" in request.headers


def kept(name: str, key: object, version: Callable[[], object], make: Callable[[], Any], *, trusted: float) -> Any:
    """What `make` returns, for all users who see the same: made again when the version is another, or the minute.

    Kept in the process, for those who only look: nothing is decided by it. `key`: what else it depends on, beside
    language and time zone. `trusted`: for so many seconds not even the version is asked for; 0 asks.
    """
    now = timezone.localtime()
    slot = f"live:{name}:{digest((key, get_language(), timezone.get_current_timezone_name()))}"
    known = cache.get(slot)
    if known and time.monotonic() - known[0] < trusted:
        return known[2]
    present = (now.hour, now.minute, version())
    value = known[2] if known and known[1] == present else make()
    cache.set(slot, (time.monotonic(), present, value), KEPT)
    return value


def recent(name: str, key: object, make: Callable[[], Any], *, seconds: int, news: bool) -> Any:
    """What `make` has returned for this key at most `seconds` ago in this process; `news` has it made again."""
    slot = f"recent:{name}:{digest(key)}"
    if not news:
        return cache.get_or_set(slot, make, seconds)
    value = make()
    cache.set(slot, value, seconds)
    return value


def digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
