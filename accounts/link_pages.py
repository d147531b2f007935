"""The pages behind one-time links, for people who have not signed in: accepting an invitation, a new password.

A link that does not work says nothing about why: used, expired, withdrawn and guessed look the same.
"""

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import invitations, letters, lockout, passwords
from accounts.link_forms import AcceptForm, ForgottenForm, NewPasswordForm
from accounts.sessions import sign_in_by_link
from accounts.views import locked_out_page, render_page
from core.errors import Refusal


def invitation_url(request: HttpRequest, token: str) -> str:
    return request.build_absolute_uri(reverse("accept_invitation", args=[token]))


def password_url(request: HttpRequest, link: dict[str, str]) -> str:
    return request.build_absolute_uri(reverse("new_password", kwargs=link))


@never_cache
@sensitive_post_parameters()
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The invited person chooses a user name and a password, and is signed in."""
    if lockout.is_blocked(request, lockout.LINKS):
        return locked_out_page(request)
    invitation = invitations.find_open(token)
    if invitation is None:
        return invalid_link_page(request)
    form = AcceptForm(invitation, request.POST if request.method == "POST" else None)
    if form.is_valid():
        username, password = form.cleaned_data["username"], form.cleaned_data["new_password1"]
        try:
            user = invitations.accept(invitation_id=invitation.pk, username=username, password=password)
        except Refusal as refusal:
            if refusal.code != "username_taken":
                return invalid_link_page(request)
            form.add_error("username", refusal.detail)
        else:
            sign_in_by_link(request, user)
            messages.success(request, _("Welcome! Next time you sign in as %(username)s.") % {"username": username})
            return redirect("now")
    words = {"title": _("Choose a user name and a password"), "form": form, "invitation": invitation}
    return render_page(request, "accounts/accept.html", **words)


@never_cache
@sensitive_post_parameters()
def new_password(request: HttpRequest, account: str, token: str) -> HttpResponse:
    """A new password by link, for somebody who has forgotten theirs. They are signed in; a second factor is still
    asked for."""
    if lockout.is_blocked(request, lockout.LINKS):
        return locked_out_page(request)
    user = passwords.find_account(account, token)
    if user is None:
        return invalid_link_page(request)
    form = NewPasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user = passwords.set_password(user_id=user.pk, token=token, password=form.cleaned_data["new_password1"])
        except Refusal:
            return invalid_link_page(request)
        sign_in_by_link(request, user)
        messages.success(request, _("Your password was changed."))
        return redirect("now")
    return render_page(request, "accounts/new_password.html", title=_("Choose a new password"), form=form, account=user)


def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Sends links to the owner of the account, and says the same whether there is one."""
    if not letters.can_send_by_oneself():
        return render_page(request, "accounts/forgotten.html", title=_("Forgot password?"))
    if lockout.is_blocked(request, lockout.FORGOTTEN):
        return locked_out_page(request)
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        lockout.count_failure(request, lockout.FORGOTTEN)  # of whatever account: nobody floods mailboxes
        accounts = passwords.accounts_with_mail(form.cleaned_data["claimed"])
        letters.send_later(
            [letters.password_letter(user, password_url(request, passwords.make_link(user))) for user in accounts]
        )
    return render_page(
        request, "accounts/forgotten.html", title=_("Forgot password?"), form=form, is_done=form.is_valid()
    )


def invalid_link_page(request: HttpRequest) -> HttpResponse:
    lockout.count_failure(request, lockout.LINKS)
    context = admin.site.each_context(request) | {
        "title": _("This link does not work"),
        "days": invitations.VALID.days,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    return render(request, "accounts/invalid_link.html", context, status=404)
