"""The webhook that Telegram calls, where there is a public address: TELEGRAM_WEBHOOK_URL ends with its path."""

import json
import logging

from django.conf import settings
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from core.ids import is_id
from notifications.messenger import updates

log = logging.getLogger(__name__)


@csrf_exempt
def receive_update(request: HttpRequest) -> HttpResponse:
    """Stores the update for the worker. Only Telegram knows the secret: 403 without it, 404 if none is set."""
    if not settings.TELEGRAM_WEBHOOK_SECRET:
        raise Http404
    given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not constant_time_compare(given, settings.TELEGRAM_WEBHOOK_SECRET):
        return HttpResponse(status=403)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    if not isinstance(body, dict) or not is_id(str(body.get("update_id"))):
        return HttpResponse(status=400)
    try:
        updates.store_update(body)
    except (DataError, IntegrityError):  # Telegram would send it again and again, and nothing else meanwhile
        log.exception("An update of Telegram could not be stored")
    return HttpResponse(status=200)
