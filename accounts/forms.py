from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget


class CodeForm(forms.Form):
    """Six digits from the app, or a recovery code, however spaced."""

    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        typed: str = self.cleaned_data["code"]
        return "".join(typed.split()).replace("-", "").lower()

    def refuse(self) -> None:
        self.add_error(
            "code", _("The code is wrong, or was entered too soon after a wrong one. Please try the next code.")
        )
