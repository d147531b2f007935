"""How a user is told of new contacts while the page *My contacts* is open: kept in their profile."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Profile

ALERTS = ("shows_notifications", "plays_sound")
VALUES = {"true": True, "false": False}


@require_POST
def set_alert(request: HttpRequest) -> HttpResponse:
    """Sets `alert`, one of ALERTS, to `value`, true or false, for the user who asks."""
    alert, value = request.POST.get("alert"), VALUES.get(request.POST.get("value", ""))
    if alert not in ALERTS or value is None:
        return HttpResponseBadRequest(_("This switch does not exist."))
    Profile.objects.update_or_create(user=request.user, defaults={alert: value})  # type: ignore[misc] # signed in
    return HttpResponse(status=204)
