"""The form of the dialog that assigns a contact by hand."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from operators.models import Operator
from routing.models import Contact


class OperatorChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """A choice of operators that shows the load of each."""

    def label_from_instance(self, operator: Any) -> str:
        words = {"name": operator.name, "load": operator.current_load, "limit": operator.max_load}
        if not operator.is_active:
            return _("%(name)s (%(load)s of %(limit)s, off duty)") % words
        return _("%(name)s (%(load)s of %(limit)s)") % words


class GiveForm(BaseDialogForm):
    """Chooses the operator, and whether to ignore duty and limit. Keeps who has the contact while this is decided."""

    holder = forms.IntegerField(required=False, widget=forms.HiddenInput)
    operator = OperatorChoice(Operator.objects.none(), label=gettext_lazy("Operator"), widget=UnfoldAdminSelectWidget)
    force = forms.BooleanField(
        label=gettext_lazy("Even off duty or beyond the limit"), required=False, widget=UnfoldBooleanWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Operator.objects.current().exclude(contacts=self.object_id)
        self.fields["operator"].queryset = others.order_by("name", "pk")
        holders = Contact.objects.filter(pk=self.object_id).values_list("operator", flat=True)
        self.fields["holder"].initial = holders.first()

    @property
    def expected(self) -> dict[str, int | None]:
        """The argument by which a function finds out that somebody else was faster."""
        return {"expected_operator_id": self.cleaned_data["holder"]} if "holder" in self.data else {}
