"""The sign-in pages: password, second factor, and its set-up."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from accounts import two_factor
from accounts.forms import CodeForm
from accounts.sessions import begin_session
from core.admin.verbs import acting_author

LONGEST_USERNAME = 255


@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Django's sign-in page, with a lock-out after failures; a session lasts SESSION_HOURS, used or not."""
    response: HttpResponse = admin.site.login(request)
    if getattr(request, "axes_locked_out", False):
        return locked_out_page(request)
    if request.method == "POST" and response.status_code == 302:
        begin_session(request)
    return response


def attempted_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The username of a sign-in attempt, cut to what django-axes can store."""
    return str((credentials or request.POST).get("username") or "")[:LONGEST_USERNAME]


def locked_out_page(request: HttpRequest) -> HttpResponse:
    wait = settings.AXES_COOLOFF_TIME
    words = {"title": _("Too many attempts"), "minutes": int(wait.total_seconds() // 60)}
    response = render(request, "accounts/locked_out.html", admin.site.each_context(request) | words, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response


@sensitive_post_parameters()
def enter_code(request: HttpRequest) -> HttpResponse:
    """Between the password and everything else, for those who have a second factor."""
    if request.user.is_verified() or not two_factor.is_on(request.user):  # type: ignore[union-attr]
        return redirect("admin:index")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if two_factor.verify_code(request, form.cleaned_data["code"]):
            return redirect("admin:index")
        form.refuse()
    return render_page(request, "accounts/enter_code.html", title=_("Two-factor sign-in"), form=form)


@sensitive_post_parameters()
def two_factor_page(request: HttpRequest) -> HttpResponse:
    """Setting up the second factor; once it stands, changing it."""
    return change_two_factor(request) if two_factor.is_on(request.user) else set_up_two_factor(request)


def set_up_two_factor(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if form.is_valid():
        codes = two_factor.turn_on(request, form.cleaned_data["code"])
        if codes:
            return show_recovery_codes(request, codes)
        form.refuse()
    device = two_factor.draft_device(request.user)  # type: ignore[arg-type] # the view requires a signed-in user
    return render_page(
        request,
        "accounts/set_up.html",
        title=_("Set up two-factor sign-in"),
        form=form,
        picture=two_factor.qr_code(device),
        secret=two_factor.device_secret(device),
        is_demanded=two_factor.is_demanded_of(request.user),
    )


def change_two_factor(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if two_factor.verify_code(request, form.cleaned_data["code"]):
            if "turn_off" not in request.POST:
                return show_recovery_codes(request, two_factor.fresh_recovery_codes(request.user))
            two_factor.reset_second_factor(request.user, acting_author(request))  # type: ignore[arg-type] # signed in
            messages.success(request, _("Two-factor sign-in is off."))
            return redirect("two_factor")
        form.refuse()
    is_demanded = two_factor.is_demanded_of(request.user)
    return render_page(
        request, "accounts/change.html", title=_("Two-factor sign-in"), form=form, is_demanded=is_demanded
    )


def show_recovery_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    readable = [two_factor.group_by_four(code) for code in codes]
    return render_page(request, "accounts/recovery_codes.html", title=_("Recovery codes"), codes=readable)


def render_page(request: HttpRequest, template: str, **words: Any) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | words)
