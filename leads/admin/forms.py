"""Forms that send to the verbs what the user changed, and nothing else."""

from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from leads import search
from leads.admin import lead_formatting
from leads.models import Lead


class MergeForm(BaseDialogForm):
    """Which of two leads stays: that of the page, or `?other=`. The older one, unless the user says otherwise."""

    survivor = forms.ChoiceField(label=gettext_lazy("Which lead stays?"), widget=UnfoldAdminRadioSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [str(self.object_id), self.request.GET.get("other", "")]
        leads = Lead.objects.filter(pk__in=filter(search.is_id, ids)).prefetch_related("identities").order_by("pk")
        self.choices = [(lead.pk, lead_formatting.lead_line(lead)) for lead in leads]
        if len(self.choices) != len(ids):
            raise Http404
        self.fields["survivor"].choices = self.choices
        self.fields["survivor"].initial = self.choices[0][0]

    @property
    def chosen(self) -> tuple[int, int]:
        """The lead that stays, and the one that flows into it."""
        (first, _words), (second, _words) = self.choices
        return (first, second) if self.cleaned_data["survivor"] == str(first) else (second, first)


class EraseForm(BaseDialogForm):
    """Says what goes and what stays, and takes no click for a yes."""

    form_before_template = "leads/what_erasing_does.html"

    number = forms.CharField(widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].label = _("To erase this lead, type its number: %(id)s") % {"id": self.object_id}

    def clean_number(self) -> str:
        if self.cleaned_data["number"] != str(self.object_id):
            raise forms.ValidationError(_("This is not the number of this lead."), code="invalid")
        return str(self.object_id)
