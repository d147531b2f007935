"""The forms of a roster on the page of its source. The roster may have changed since the page was opened."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import PaginationInlineFormSet

from core.admin.forms import ChangesOnly, forget_typed
from core.ids import is_id
from operators.models import Operator

ON_IT_ALREADY = gettext_lazy("This operator is on the roster already.")


class StoredOperator(forms.Widget):
    """Shows the operator as text, without a query for each row. Sends it along: its entry may be gone by then."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<span class="font-medium">{}</span><input type="hidden" name="{}" value="{}">', value, name, value.pk
        )


class RosterForm(ChangesOnly):
    """One row of the roster. The operator is chosen once; afterwards only the weight can be changed."""

    class Meta:
        error_messages = {NON_FIELD_ERRORS: {"unique_together": ON_IT_ALREADY}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "operator" in self.fields:
            self.fields["operator"] = forms.Field(label=gettext_lazy("operator"), disabled=True, widget=StoredOperator)
            self.initial["operator"] = self.instance.operator
        if "weight" in self.fields:  # the heading of its column is no label
            self.fields["weight"].widget.attrs["aria-label"] = gettext_lazy("weight")


class RosterFormSet(PaginationInlineFormSet):
    """Rows of entries that are gone by now are left out of what the page has sent.

    Django would refuse the page for such a row again and again. A row that the user has not touched is left out
    silently, as is one to be removed. If its weight was changed, an error says that this was not saved.
    """

    def __init__(self, *args: Any, data: QueryDict | None = None, **kwargs: Any) -> None:
        self.gone: list[SentRow] = []
        self.weights: dict[int, int] = {}  # as stored, by operator id
        if data:
            entries = list(kwargs["queryset"].filter(source=kwargs["instance"].pk).order_by())
            self.weights = {entry.operator_id: entry.weight for entry in entries}
            entry_ids = {entry.operator_id: entry.pk for entry in entries}
            data, self.gone = without_gone_rows(data, kwargs["prefix"], entry_ids)
        super().__init__(*args, data=data, **kwargs)

    @cached_property
    def management_form(self) -> Any:
        form = super().management_form
        forget_typed(form.fields.values())
        return form

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        forget_typed(form.fields.values())  # the box that removes the row is among them

    def clean(self) -> None:
        super().clean()
        errors = [gone_text(row) for row in self.gone if row.is_changed]
        for form in self.extra_forms:
            operator = form.cleaned_data.get("operator") if form.is_valid() and form not in self.deleted_forms else None
            if operator and operator.pk in self.weights:
                errors.append(known_text(operator, self.weights[operator.pk]))
        for form in self.deleted_forms:
            if form.instance.pk and form.is_overtaken("weight"):
                errors.append(removed_text(form))
                form.show_present("weight")
        if errors:
            raise forms.ValidationError(errors)

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        """The same message for a duplicate among new rows as for a duplicate of a stored row."""
        return str(ON_IT_ALREADY)

    def get_form_error(self) -> str:
        return str(ON_IT_ALREADY)


class SentRow(dict[tuple[str, str], list[str]]):
    """One row as the page has sent it: the values of each input, by what stands before and after prefix and number."""

    def value(self, name: str, before: str = "") -> str:
        return next(iter(self.get((before, name), [])), "")

    @property
    def is_changed(self) -> bool:
        """Whether the user has changed the weight, and does not remove the row anyway."""
        return not self.value("DELETE") and self.value("weight") != self.value("weight", "initial-")


def without_gone_rows(data: QueryDict, prefix: str, entries: Mapping[int, int]) -> tuple[QueryDict, list[SentRow]]:
    """What the page has sent, without the rows of entries that are gone, the others numbered afresh; and these rows.

    `entries`: operator id to the id of its entry, as stored. The row of an operator who has left the roster and joined
    it again meanwhile gets the new entry.
    """
    initial, total = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("INITIAL", "TOTAL"))
    if not (is_id(initial) and is_id(total)):
        return data, []  # the form set says what is wrong
    others, rows = data.copy(), defaultdict[int, SentRow](SentRow)
    for key in data:
        if match := re.fullmatch(rf"(initial-)?{prefix}-(\d{{1,9}})-(.+)", key):
            rows[int(match[2])][match[1] or "", match[3]] = others.pop(key)
    ids, by_operator = set(map(str, entries.values())), {str(operator): str(pk) for operator, pk in entries.items()}
    known, added, gone, are_others = list[SentRow](), list[SentRow](), list[SentRow](), False
    for number, row in sorted(rows.items()):
        if number >= int(initial):
            added.append(row)
        elif row.value("id") in ids:
            known.append(row)
        elif pk := by_operator.get(row.value("operator")):
            known.append(row)
            row["", "id"], are_others = [pk], True
        else:
            gone.append(row)
    if not (gone or are_others):
        return data, []
    for place, row in enumerate(known + added):
        for (before, name), values in row.items():
            others.setlist(f"{before}{prefix}-{place}-{name}", values)
    others[f"{prefix}-INITIAL_FORMS"], others[f"{prefix}-TOTAL_FORMS"] = str(len(known)), str(len(known + added))
    return others, gone


def known_text(operator: Operator, weight: int) -> str:
    """The error: somebody else has put this operator on the roster."""
    return _("%(name)s is on this roster already, with the weight %(weight)s.") % {"name": operator, "weight": weight}


def gone_text(row: SentRow) -> str:
    """The error: the weight of somebody who has left the roster was not saved."""
    operator = row.value("operator")
    known = Operator.objects.filter(pk=int(operator)).first() if is_id(operator) else None
    return _("%(name)s is no longer on this roster. The weight %(weight)s was not saved.") % {
        "name": known or _("An operator"),
        "weight": row.value("weight"),
    }


def removed_text(form: RosterForm) -> str:
    """The error: somebody has changed the weight of an entry that the user removes."""
    return _(
        "Somebody has changed the weight of %(name)s to %(weight)s while the page was open. Save again to remove "
        "%(name)s nevertheless."
    ) % {"name": form.instance.operator, "weight": form.present("weight")}
