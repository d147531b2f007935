"""The editor of a weekly pattern, such as a schedule or opening hours: a time zone, and rows of days with hours.

What a pattern may be is decided by the function that stores it; its refusals are shown by `show_refusal`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, UnfoldAdminTextInputWidget

from core.admin.forms import forget_typed
from core.errors import Invalid

WEEKDAYS = {
    1: pgettext_lazy("short weekday", "Mon"),
    2: pgettext_lazy("short weekday", "Tue"),
    3: pgettext_lazy("short weekday", "Wed"),
    4: pgettext_lazy("short weekday", "Thu"),
    5: pgettext_lazy("short weekday", "Fri"),
    6: pgettext_lazy("short weekday", "Sat"),
    7: pgettext_lazy("short weekday", "Sun"),
}
ZONES: Any = SimpleLazyObject(lambda: sorted(available_timezones()))
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

Shifts = list[dict[str, Any]]  # [{"weekday": 1..7, "from": "09:00", "to": "18:00"}, ...], as stored
Row = dict[str, Any]  # {"days": [1, 2], "from": "09:00", "to": "18:00"}: shifts with equal hours together


class ZoneInput(UnfoldAdminTextInputWidget):
    """A text with all time zones as suggestions, which the browser searches while the user types."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attrs = (attrs or {}) | {"list": f"{name}-zones"}
        field = super().render(name, value, attrs, renderer)
        return SafeString(field + render_to_string("time_zones.html", {"id": f"{name}-zones", "zones": ZONES}))


class WeeklyRows(forms.Widget):
    """Rows of days with hours. Rows are added and removed by the script of the back-office."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        numbers = {int(found[1]) for key in data if (found := re.fullmatch(rf"{name}-(\d{{1,4}})-\w+", key))}
        return [
            {
                "days": [int(day) for day in data.getlist(f"{name}-{number}-day") if re.fullmatch("[1-7]", day)],
                "from": data.get(f"{name}-{number}-from", ""),
                "to": data.get(f"{name}-{number}-to", ""),
            }
            for number in sorted(numbers)
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # no rows are sent as nothing

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows: list[Row] = value or [{"days": [], "from": "", "to": ""}]
        context = {
            "name": name,
            "rows": list(enumerate(rows)),
            "empty": {"days": [], "from": "", "to": ""},
            "weekdays": WEEKDAYS.items(),
            "input_classes": " ".join(INPUT_CLASSES),
            "checkbox_classes": " ".join(CHECKBOX_CLASSES),
        }
        return SafeString(render_to_string("weekly_rows.html", context))

    def id_for_label(self, id_: str) -> str:
        return ""


class ShiftsField(forms.Field):
    """Cleans to shifts as they are stored. Rows in which nothing is filled in do not count."""

    widget = WeeklyRows

    def prepare_value(self, value: Any) -> list[Row]:
        return rows_of(value) if value and "days" not in value[0] else value or []

    def clean(self, value: list[Row]) -> Shifts:
        filled = [row for row in value if row["days"] or row["from"] or row["to"]]
        errors = [error for number, row in enumerate(filled, 1) for error in row_errors(number, row)]
        if errors:
            raise forms.ValidationError(errors)
        return shifts_of(filled)


def row_errors(number: int, row: Row) -> Iterable[str]:
    if not row["days"]:
        yield _("Row %(number)s: choose at least one day.") % {"number": number}
    if not all(CLOCK.fullmatch(row[name]) for name in ("from", "to")):
        yield _("Row %(number)s: give both times, such as 09:00 and 18:00.") % {"number": number}


def rows_of(shifts: Shifts) -> list[Row]:
    """Shifts with equal hours as one row, in the order of their first day. Browsers have no "24:00"."""
    rows: dict[tuple[str, str], list[int]] = {}
    for shift in sorted(shifts, key=lambda shift: (shift["weekday"], shift["from"])):
        days = rows.setdefault((shift["from"], "00:00" if shift["to"] == "24:00" else shift["to"]), [])
        if shift["weekday"] not in days:
            days.append(shift["weekday"])
    return [{"days": days, "from": start, "to": end} for (start, end), days in rows.items()]


def lines_of(shifts: Shifts) -> list[str]:
    """A line for each group of days with equal hours: "Mon, Tue 09:00–18:00"."""
    return [
        f"{', '.join(str(WEEKDAYS[day]) for day in row['days'])} {row['from']}–{row['to'].replace('00:00', '24:00')}"
        for row in rows_of(shifts)
    ]


def shifts_of(rows: list[Row]) -> Shifts:
    """One shift for each day of each row, in the order of the week. "00:00" is the end of the day."""
    shifts = [
        {"weekday": day, "from": row["from"], "to": "24:00" if row["to"] == "00:00" else row["to"]}
        for row in rows
        for day in row["days"]
    ]
    return sorted(shifts, key=lambda shift: (shift["weekday"], shift["from"], shift["to"]))


class WeeklyForm(forms.Form):
    """Edits a stored pattern: `WeeklyForm(request.POST or None, present={"time_zone", "shifts"} or None)`.

    The page keeps what it has shown: `seen` of a sent form is that, for the function that compares under its lock.
    """

    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64, widget=ZoneInput)
    shifts = ShiftsField(label=gettext_lazy("Weekly hours"), required=False)
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, present: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.present = pattern(present or {})
        super().__init__(*args, **kwargs)
        time_zone = self.present["time_zone"] or settings.TIME_ZONE
        self.initial = self.present | {"time_zone": time_zone, "shown": json.dumps(self.present)}
        forget_typed(self.fields.values())

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in ZONES:
            raise forms.ValidationError(
                _("This time zone does not exist. Send a name such as Europe/Moscow."), code="invalid"
            )
        return name

    @property
    def values(self) -> dict[str, Any]:
        """`time_zone` and `shifts`, the arguments of the function that stores them."""
        return {name: self.cleaned_data[name] for name in ("time_zone", "shifts")}

    @property
    def seen(self) -> dict[str, Any] | None:
        """What the page has shown: `time_zone` and `shifts`. None if a program has not sent it."""
        try:
            shown = json.loads(self.cleaned_data.get("shown") or "null")
        except (ValueError, RecursionError):
            return None
        return pattern(shown) if isinstance(shown, dict) else None

    def show_refusal(self, invalid: Invalid) -> None:
        """Shows what the storing function refuses, at the field that it names."""
        for error in invalid.errors:
            self.add_error("time_zone" if error.field == "time_zone" else "shifts", error.detail)


def pattern(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {"time_zone": stored.get("time_zone", ""), "shifts": stored.get("shifts", [])}
