"""How to connect a source: ready lines for a program, a key, and a trial contact."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.admin.verbs import acting_user, refusal_text
from core.errors import Refusal
from leads import trial
from routing.admin import rosters
from routing.models import Source


def connection(request: HttpRequest, source: Source) -> dict[str, Any]:
    """The context of `routing/connecting.html`."""
    may_make_key = request.user.has_perm("access.add_apikey")
    return {
        "address": request.build_absolute_uri(reverse("contact-list")),
        "key_url": f"{reverse('admin:access_apikey_add')}?{urlencode({'scope': source.pk})}" if may_make_key else "",
        "trial_url": reverse("source_trial", args=[source.pk]) if rosters.may_change(request, source) else "",
    }


@require_POST
def send_trial(request: HttpRequest, source_id: int) -> HttpResponse:
    """Sends a trial contact, and answers who would get it or why nobody would; nothing of it is kept."""
    if not rosters.may_change(request):
        raise PermissionDenied
    try:
        made = trial.try_registration(source_id=source_id, message=_("Trial contact"), by=acting_user(request))
    except Refusal as refusal:
        return render(request, "routing/trial.html", {"refusal": refusal_text(refusal)})
    return render(request, "routing/trial.html", {"trial": made})
