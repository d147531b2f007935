"""The forms of the dialogs that assign contacts by hand."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from core.ids import is_id
from operators.models import Operator
from routing.models import Contact


class OperatorChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """A choice of operators that shows the load of each."""

    def label_from_instance(self, operator: Any) -> str:
        words = {"name": operator.name, "load": operator.current_load, "limit": operator.max_load}
        if not operator.is_active:
            return _("%(name)s (%(load)s of %(limit)s, off duty)") % words
        return _("%(name)s (%(load)s of %(limit)s)") % words


class GiveManyForm(BaseDialogForm):
    """Chooses the operator for the contacts of the address; whether beyond duty and limit only after a refusal."""

    data: Any

    operator = OperatorChoice(Operator.objects.none(), label=gettext_lazy("Operator"), widget=UnfoldAdminSelectWidget)
    force = forms.BooleanField(
        label=gettext_lazy("Assign all the same, off duty or beyond the limit"),
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].queryset = self.operators().order_by("name", "pk")

    def operators(self) -> Any:
        return Operator.objects.current()

    @property
    def selected(self) -> list[str]:
        """The ids of the contacts."""
        return [pk for pk in self.request.GET.getlist(ACTION_CHECKBOX_NAME) if is_id(pk)]

    def refuse(self, request: HttpRequest, *, offers_force: bool) -> None:
        """Shows what was said at the operator's field instead of on the next page; may offer to assign all the same."""
        for message in messages.get_messages(request):
            self.add_error("operator", str(message))
        if offers_force:
            self.fields["force"].widget = UnfoldBooleanWidget()
            self.change_data("force", None)  # what a hidden field sends would count as checked

    def change_data(self, name: str, value: str | None) -> None:
        self.data = self.data.copy()
        self.data[name] = value


class GiveForm(GiveManyForm):
    """The same for the contact of the page. Keeps who has it, as the user sees it there."""

    holder = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["holder"].initial = self.request.GET.get("holder") or self.present_holder()

    def present_holder(self) -> str:
        holders = Contact.objects.filter(pk=self.object_id).values_list("operator", flat=True)
        return f"{self.object_id}:{holders.first() or ''}"

    def operators(self) -> Any:
        return super().operators().exclude(contacts=self.object_id)

    def refuse(self, request: HttpRequest, *, offers_force: bool) -> None:
        """From now on the user knows who has it."""
        self.change_data("holder", self.present_holder())
        super().refuse(request, offers_force=offers_force)


def expected_holders(request: HttpRequest) -> dict[int, int | None]:
    """Who had each contact on the page that the user sees: "12:5" is contact 12 with operator 5, "12:" in the queue."""
    sent = [one.partition(":") for one in request.GET.getlist("holder") + request.POST.getlist("holder")]
    return {
        int(pk): int(operator) if operator else None for pk, colon, operator in sent if colon and is_pair(pk, operator)
    }


def is_pair(pk: str, operator: str) -> bool:
    return is_id(pk) and (not operator or is_id(operator))
