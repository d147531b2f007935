"""The forms of the pages of shifts. Dates and times are read on the clock of the operator: the active time zone."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from core.admin.forms import TrimmedField, forget_typed
from core.errors import Refusal
from operators.models import Absence
from operators.weekly import Weekly

CALENDAR = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]  # beyond, arithmetic ends
FIELDS = {"from": "first_day", "to": "last_day", "reason": "reason"}  # of a refusal: where the page shows it


class NativeDate(forms.DateInput):
    """The browser's own calendar, also on a phone."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")


class NativeTime(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES)}, format="%H:%M")


class PauseForm(forms.Form):
    until = forms.TimeField(label=gettext_lazy("Until"), widget=NativeTime)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        forget_typed(self.fields.values())

    def moment(self, now: datetime) -> datetime:
        """When the clock shows this next."""
        clock, today = own_clock(), timezone.localdate(now)
        at = clock.reached(today, self.cleaned_data["until"])
        return at if at > now else clock.reached(today + timedelta(days=1), self.cleaned_data["until"])


class AbsenceForm(forms.Form):
    """Days of absence, each whole unless a time is given."""

    first_day = forms.DateField(label=gettext_lazy("First day"), widget=NativeDate, validators=CALENDAR)
    start_time = forms.TimeField(
        label=gettext_lazy("From"), required=False, widget=NativeTime, help_text=gettext_lazy("Empty: the whole day.")
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=NativeDate,
        validators=CALENDAR,
        help_text=gettext_lazy("Empty: the same day."),
    )
    end_time = forms.TimeField(
        label=gettext_lazy("To"), required=False, widget=NativeTime, help_text=gettext_lazy("Empty: the whole day.")
    )
    reason = TrimmedField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=Absence._meta.get_field("reason").max_length,
        widget=UnfoldAdminTextInputWidget,
    )
    handover = forms.BooleanField(
        label=gettext_lazy("Hand over open contacts at its begin"), required=False, widget=UnfoldBooleanWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        forget_typed(self.fields.values())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first is None or "last_day" in self.errors:
            return cleaned
        last = last or first
        if last < first:
            self.add_error("last_day", _("The last day must not be before the first day."))
        elif "start_time" not in self.errors and "end_time" not in self.errors:
            self.read_moments(first, last, cleaned)
        return cleaned

    def read_moments(self, first: date, last: date, cleaned: dict[str, Any]) -> None:
        clock, until = own_clock(), cleaned["end_time"]
        cleaned["start"] = clock.reached(first, cleaned["start_time"] or time.min)
        cleaned["end"] = clock.reached(last, until) if until else clock.reached(last + timedelta(days=1), time.min)
        if cleaned["end"] <= cleaned["start"]:
            self.add_error("end_time", _("It must end later than it begins."))
        elif cleaned["end"] <= timezone.now():
            self.add_error("end_time" if until else "last_day", _("This is in the past."))

    @property
    def values(self) -> dict[str, Any]:
        """The arguments of `duty_edges.add_absence`."""
        return {name: self.cleaned_data[name] for name in ("start", "end", "reason", "handover")}

    def show_refusal(self, refusal: Refusal) -> None:
        """Shows what `duty_edges.add_absence` refuses, at the field that it names; an overlap at the first day."""
        for error in refusal.errors:
            self.add_error(FIELDS.get(error.field), error.detail)
        if not refusal.errors:
            self.add_error("first_day", refusal.detail)


def own_clock() -> Weekly:
    """The active time zone as a clock."""
    zone = timezone.get_current_timezone()
    assert isinstance(zone, ZoneInfo)
    return Weekly(zone, [])
