"""The form of a lead's page, and those of the dialogs that merge and erase leads."""

from functools import partial
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin.forms import ChangesOnly, TrimmedField
from core.ids import is_id
from leads import erasure, identities, lead_editing
from leads.admin import lead_formatting
from leads.identities import Unreadable
from leads.models import Lead


class LeadForm(ChangesOnly):
    """Edits the phone, e-mail and name that the lead shows."""

    phone = TrimmedField(label=gettext_lazy("Phone"), max_length=50, required=False, widget=UnfoldAdminTextInputWidget)
    email = TrimmedField(
        label=gettext_lazy("E-mail"), max_length=254, required=False, widget=UnfoldAdminEmailInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(phone=self.instance.phone, email=self.instance.email)

    def clean_phone(self) -> str:
        return validate_identity(
            self.cleaned_data["phone"],
            partial(lead_editing.read_phone, self.instance.pk),
            _("This is not a valid phone number."),
        )

    def clean_email(self) -> str:
        return validate_identity(
            self.cleaned_data["email"], identities.normalise_email, _("This is not a valid e-mail address.")
        )


def validate_identity(raw: str, read: Any, otherwise: Any) -> str:
    """Returns the typed identity. Raises ValidationError with the message `otherwise` if it cannot be read."""
    try:
        if raw:
            read(raw)
    except Unreadable as error:
        raise forms.ValidationError(otherwise, code="invalid") from error
    return raw


class MergeForm(BaseDialogForm):
    """Chooses which of two leads survives: that of the page, or `?other=`. The default is the older one."""

    survivor = forms.ChoiceField(label=gettext_lazy("Which lead stays?"), widget=UnfoldAdminRadioSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [str(self.object_id), self.request.GET.get("other", "")]
        leads = Lead.objects.filter(pk__in=filter(is_id, ids)).prefetch_related("identities").order_by("pk")
        self.choices = [(lead.pk, lead_formatting.lead_line(lead)) for lead in leads]
        if len(self.choices) != len(ids):
            raise Http404
        self.fields["survivor"].choices = self.choices
        self.fields["survivor"].initial = self.choices[0][0]

    @property
    def chosen(self) -> tuple[int, int]:
        """The ids of the survivor and of the lead that is merged into it."""
        (first, _words), (second, _words) = self.choices
        return (first, second) if self.cleaned_data["survivor"] == str(first) else (second, first)


class EraseForm(BaseDialogForm):
    """Lists what is deleted and what is kept; the user types the lead's number to confirm."""

    form_before_template = "leads/what_erasing_does.html"

    number = forms.CharField(widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].label = _("To erase this lead, type its number: %(id)s") % {"id": self.object_id}

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        return {"open_contacts": erasure.open_contacts([int(str(object_id))]).count() if is_id(str(object_id)) else 0}

    def clean_number(self) -> str:
        if self.cleaned_data["number"] != str(self.object_id):
            raise forms.ValidationError(_("This is not the number of this lead."), code="invalid")
        return str(self.object_id)
