"""Forms that send to the verbs what the user changed, and nothing else."""

from typing import Any

from django import forms


class ChangesOnly(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """What others, or the service, changed while the page was open is not overwritten with what it showed then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def changes(self) -> dict[str, Any]:
        return {field: self.cleaned_data[field] for field in self.changed_data}
