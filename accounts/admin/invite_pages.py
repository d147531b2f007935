"""Inviting people: the form, the page that shows the link once, and the invitations that nobody has used yet."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import invitations, letters
from accounts.invitations import NewLink
from accounts.link_pages import invitation_url
from accounts.models import Invitation
from accounts.rights import exceeds, grantable_roles
from accounts.roles import OPERATOR, role_title
from core.admin.forms import TrimmedField
from core.admin.verbs import acting_author, refusal_text
from core.errors import Refusal
from operators.models import Operator

NEW = "new"


class InviteForm(forms.Form):
    """Four fields. A role whose holders see only their own contacts makes no sense without an operator: the form says
    so first, and takes it when it is sent again."""

    name = TrimmedField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=Invitation._meta.get_field("name").max_length,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "autofocus": True}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), required=False, widget=UnfoldAdminEmailInputWidget({"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=UnfoldAdminSelectWidget)
    operator = forms.ChoiceField(
        label=gettext_lazy("Operator"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Whose contacts this person answers."),
    )
    without_operator = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = {str(role.pk): role for role in grantable_roles(user).order_by("name")}
        free = Operator.objects.current().filter(user__isnull=True).order_by("name", "pk")
        self.operators = {str(operator.pk): operator for operator in free}
        new = [(NEW, _("Make a new operator of this name"))] if user.has_perm("operators.add_operator") else []
        fields: Any = self.fields
        fields["role"].choices = [("", "–"), *((pk, role_title(role)) for pk, role in self.roles.items())]
        fields["operator"].choices = [
            ("", _("– none –")),
            *new,
            *((pk, operator.name) for pk, operator in self.operators.items()),
        ]
        fields["email"].help_text = (
            _("We send the link there. Empty: you pass it on yourself.")
            if settings.IS_EMAIL_CONFIGURED
            else _("This service sends no mail: you pass the link on yourself.")
        )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        role = self.roles.get(given.get("role", ""))
        is_alone = role is not None and role.name == OPERATOR and not given.get("operator")
        if is_alone and "operator" not in self.errors and not given.get("without_operator"):
            self.add_error(
                "operator",
                _(
                    "Without an operator this person would see no contacts. Choose one or make one; "
                    "or press “Invite” again to leave it so for now."
                ),
            )
            sent: Any = self.data
            sent = sent.copy()
            sent["without_operator"] = "on"  # the page that is shown now has said it
            self.data = sent
        return given

    def send(self, request: HttpRequest) -> NewLink:
        given = self.cleaned_data
        return invitations.invite(
            name=given["name"],
            email=given["email"],
            role=self.roles[given["role"]],
            operator=self.operators.get(given["operator"]),
            makes_operator=given["operator"] == NEW,
            author=acting_author(request),
        )


def for_inviters(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Others are refused before the method is looked at."""

    @wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponse:
        if not request.user.has_perm("auth.add_user"):
            raise PermissionDenied
        return view(request, **named)

    return answer


@for_inviters
def invite_page(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        new = form.send(request)
        made = new.invitation.operator if form.cleaned_data["operator"] == NEW else None
        return show_link(request, new, made)
    words = {"title": _("Invite a person"), "form": form, "back": list_url()}
    return show_page(request, "accounts/invite.html", words)


@for_inviters
@require_POST
def again_page(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Another link in place of the former one."""
    known = Invitation.objects.pending().select_related("role").filter(pk=invitation_id).first()
    if known and exceeds(known.role, request.user):
        raise PermissionDenied
    try:
        new = invitations.invite_again(invitation_id=invitation_id, author=acting_author(request))
    except Refusal as refusal:
        messages.error(request, refusal_text(refusal))
        return redirect(list_url())
    return show_link(request, new)


@for_inviters
@require_POST
def withdraw_page(request: HttpRequest, invitation_id: int) -> HttpResponse:
    try:
        invitation = invitations.withdraw(invitation_id=invitation_id, author=acting_author(request))
    except Refusal as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, _("The invitation of %(name)s was withdrawn.") % {"name": invitation.name})
    return redirect(list_url())


@sensitive_variables("new", "url")
def show_link(request: HttpRequest, new: NewLink, made: Operator | None = None) -> HttpResponse:
    """On the answer itself: a message would be stored in a cookie. Sends it, too, if there is a way."""
    invitation, url = new.invitation, invitation_url(request, new.token)
    words: dict[str, Any] = {
        "title": _("Invitation of %(name)s") % {"name": invitation.name},
        "url": url,
        "until": invitation.expires_at,
        "made": made,
        "back": list_url(),
    }
    if settings.IS_EMAIL_CONFIGURED and invitation.email:
        words["email"] = invitation.email
        words["is_sent"] = letters.send(letters.invitation_letter(invitation, url))
    return show_page(request, "accounts/new_link.html", words)


def show_page(request: HttpRequest, template: str, words: dict[str, Any]) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | {"opts": User._meta} | words)


def pending_invitations(request: HttpRequest) -> dict[str, Any]:
    """What the list of people shows above."""
    pending = Invitation.objects.pending().select_related("role", "operator").order_by("expires_at", "pk")
    now = timezone.now()
    return {
        "invitations": [(one, one.expires_at <= now) for one in pending],
        "may_invite": request.user.has_perm("auth.add_user"),
    }


def list_url() -> str:
    return reverse("admin:auth_user_changelist")
