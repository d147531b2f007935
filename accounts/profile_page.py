"""The page on which users say how they want to see the back-office: in which time zone, in which language."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Profile
from accounts.sessions import TIME_ZONE, signed_in
from accounts.time_zones import browser_zone, is_zone
from accounts.views import render_page
from core import retry
from core.admin.weekly_forms import ZoneInput


class ProfileForm(forms.Form):
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), required=False, max_length=64, widget=ZoneInput({"autocomplete": "off"})
    )

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name and not is_zone(name):
            raise forms.ValidationError(_("Unknown time zone. Choose one of the list, such as Europe/Moscow."))
        return name


def own_profile(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    present = Profile.objects.filter(user=user).first()
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        initial={"time_zone": present.time_zone if present else ""},
    )
    form.fields["time_zone"].help_text = _("Empty: that of the browser, now %(zone)s.") % {
        "zone": browser_zone(request) or settings.TIME_ZONE
    }
    if form.is_valid():
        save_time_zone(user, form.cleaned_data["time_zone"])
        request.session[TIME_ZONE] = form.cleaned_data["time_zone"]
        messages.success(request, _("Saved."))
        return redirect("own_profile")
    words = {"title": _("Profile"), "form": form, "service_zone": settings.TIME_ZONE}
    return render_page(request, "accounts/profile.html", **words)


def save_time_zone(user: User, name: str) -> None:
    for attempt in retry.attempts():
        with attempt:
            Profile.objects.update_or_create(user=user, defaults={"time_zone": name})
