"""Dialogs that act on one identity of a lead: detach it, mark it as shared, or as this person's only."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from core.admin.verbs import Done, VerbAdmin
from core.ids import is_id
from leads import identity_actions
from leads.admin import lead_formatting
from leads.models import Identity


class IdentityForm(BaseDialogForm):
    """A question about the identity `?identity=`, which it shows."""

    form_before_template = "leads/which_identity.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.request.GET.get("identity", "")
        if not is_id(asked):
            raise Http404
        self.identity_id = int(asked)

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        asked = str(object_id)
        lead_id = int(asked) if is_id(asked) else None
        own = Identity.objects.filter(pk=self.identity_id, lead=lead_id).select_related("source").first()
        return {"identity": own and lead_formatting.display_identity(own)}


def detached(count: int) -> str:
    return gettext("It was detached.")


def shared(count: int) -> str:
    return gettext("It recognises nobody by itself any more.")


def unshared(count: int) -> str:
    return gettext("It recognises this lead again.")


class IdentityDialogs(VerbAdmin):
    """The base of the page of a lead."""

    @action(
        description=_("Detach…"),
        permissions=["decide"],
        dialog={
            "title": _("Detach this from the lead?"),
            "description": _(
                "It is deleted here and no longer leads to this person; the next contact that gives it belongs to "
                "somebody else. The contacts of this lead stay."
            ),
            "form_class": IdentityForm,
            "form_submit_text": _("Detach"),
        },
    )
    def detach_this(self, request: HttpRequest, form: IdentityForm, object_id: str) -> HttpResponse:
        return self.change_identity(request, object_id, form, identity_actions.detach_identity, detached)

    @action(
        description=_("Belongs to many…"),
        permissions=["decide"],
        dialog={
            "title": _("Does this belong to many people?"),
            "description": _(
                "It stays here, but recognises nobody by itself any more: a contact that gives nothing else belongs to "
                "a new lead, which gets it too."
            ),
            "form_class": IdentityForm,
            "form_submit_text": _("Belongs to many"),
        },
    )
    def share_this(self, request: HttpRequest, form: IdentityForm, object_id: str) -> HttpResponse:
        return self.change_identity(request, object_id, form, identity_actions.share_identity, shared)

    @action(
        description=_("Of this person only…"),
        permissions=["decide"],
        dialog={
            "title": _("Does this belong to this person only?"),
            "description": _("Contacts that give it belong to this lead again."),
            "form_class": IdentityForm,
            "form_submit_text": _("Of this person only"),
        },
    )
    def unshare_this(self, request: HttpRequest, form: IdentityForm, object_id: str) -> HttpResponse:
        return self.change_identity(request, object_id, form, identity_actions.unshare_identity, unshared)

    def change_identity(
        self, request: HttpRequest, object_id: str, form: IdentityForm, verb: Callable[..., object], done: Done
    ) -> HttpResponse:
        return self.from_dialog(request, object_id, lambda pk: verb(lead_id=pk, identity_id=form.identity_id), done)
