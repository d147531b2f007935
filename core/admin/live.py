"""Parts of pages that follow what happens: the browser asks again and again, and mostly hears that nothing is new.

In a template: `<div data-live="{{ url }}" data-every="10">`, with the first rendering inside. `live.js` asks for the
address and exchanges the inside of the element. It waits while the tab is hidden or somebody types in that part.
"""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language


def live_response(request: HttpRequest, version: object, render: Callable[[], str]) -> HttpResponse:
    """What `render` returns as HTML, or 304 if the browser has it already.

    `version` changes whenever what is shown does; ages and due moments are shown to the minute, so that each minute is
    another version anyway. Language, time zone and user are part of it.
    """
    now = timezone.localtime()
    parts = (
        request.path,
        request.GET.urlencode(),
        request.user.pk,
        get_language(),
        timezone.get_current_timezone_name(),
        now.minute,
        version,
    )
    etag = f'W/"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
    unchanged = request.headers.get("If-None-Match") == etag
    response = HttpResponseNotModified() if unchanged else HttpResponse(render())
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache, private"
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response
