"""Forms that pass only the fields that the user changed to the domain functions."""

from typing import Any

from django import forms


class ChangesOnly(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """A form that does not overwrite fields changed by others, or by the service, while the page was open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def changes(self) -> dict[str, Any]:
        return {field: self.cleaned_data[field] for field in self.changed_data}
