"""Forms that save only what the user changed, and tell them what others have changed while the page was open."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from core import text
from core.admin import formatting


class HiddenList(forms.HiddenInput):
    """The keys that a field with several choices has shown, as one hidden input, which is there for no key as well."""

    def format_value(self, value: Any) -> str:
        return ",".join(map(str, value or []))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [key for key in (data.get(name) or "").split(",") if key]


class TrimmedField(forms.CharField):
    """Text without blanks and invisible characters around it, read as the API reads it."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(text.trim(value) if isinstance(value, str) else value)


class ChangesOnly(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """A form that does not overwrite fields changed by others, or by the service, while the page was open.

    The page keeps what each field has shown, in a hidden input. What the user has left as it was shown is not saved.
    What the user has changed is refused if it is no longer as shown: the error names the present value, and saving
    again overwrites that. A browser that goes back must not fill in what was typed before: it would look like a change
    of what the page shows now.
    """

    class Meta:
        field_classes = {"name": TrimmedField, "description": TrimmedField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True
            if isinstance(field, forms.ModelMultipleChoiceField):
                field.hidden_widget = HiddenList
        forget_typed(self.fields.values())

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that the user has changed, with their new values."""
        return {field: self.cleaned_data[field] for field in self.changed_data}

    @property
    def seen(self) -> dict[str, Any]:
        """What this form has compared them with, for the function that compares again under its lock."""
        return {name: self.present(name) for name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            return cleaned
        for name in self.changed_data:
            if self.is_overtaken(name) and self.fields[name].has_changed(self.present(name), self[name].data):
                self.add_error(name, forms.ValidationError(self.present_text(name), code="changed_meanwhile"))
                self.show_present(name)
        for name, field in self.fields.items():
            if isinstance(field, forms.ModelMultipleChoiceField) and name not in self.changed_data:
                cleaned.pop(name, None)  # the only kind of field that Django saves whether it was changed or not
        return cleaned

    def present(self, name: str) -> Any:
        """The stored value of the field."""
        return self.get_initial_for_field(self.fields[name], name)

    def shown(self, name: str) -> Any:
        """What the page has shown in the field, as its hidden input has sent it."""
        return (
            self.fields[name].hidden_widget().value_from_datadict(self.data, self.files, self[name].html_initial_name)
        )

    def is_overtaken(self, name: str) -> bool:
        """Whether the stored value is no longer what the page has shown. A program that sends no page is not asked."""
        is_known = self[name].html_initial_name in self.data
        return is_known and self.fields[name].has_changed(self.present(name), self.shown(name))

    def show_present(self, name: str) -> None:
        """Makes the hidden input of the answered page hold the stored value: the user has been told."""
        field = self.fields[name]
        data: Any = self.data
        data = data.copy()
        data[self[name].html_initial_name] = field.hidden_widget().format_value(field.prepare_value(self.present(name)))
        self.data = data

    def present_text(self, name: str) -> str:
        """The error: what somebody else has made of this field."""
        field, present = self.fields[name], self.present(name)
        if isinstance(field, forms.ModelMultipleChoiceField):
            shown = set(self.shown(name))
            now = difference_text(field, [one for one in field.queryset or () if str(one.pk) in shown], present)
        else:
            now = value_text(field, present)
        return _("Somebody has changed this while the page was open. Now: %(value)s. Save again to overwrite it.") % {
            "value": now
        }


def difference_text(field: "forms.ModelMultipleChoiceField[Any]", before: Iterable[Any], now: Iterable[Any]) -> str:
    """ "+ Supervisor, − Operator": the choices that were added and removed."""
    old, new = set(before), set(now)
    added = sorted(f"+ {field.label_from_instance(choice)}" for choice in new - old)
    removed = sorted(f"− {field.label_from_instance(choice)}" for choice in old - new)
    return ", ".join(added + removed)


def value_text(field: forms.Field, value: Any) -> str:
    """The value as the user reads it in the field."""
    if isinstance(field, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        value = dict(field.choices).get(value, value)  # type: ignore[arg-type] # no groups of choices here
    return formatting.NOTHING if value in (None, "") else str(value)


def forget_typed(fields: Iterable[forms.Field]) -> None:
    """Tells browsers not to fill in again what was typed into these fields before the user left the page."""
    for field in fields:
        field.widget.attrs["autocomplete"] = "off"
