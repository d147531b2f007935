"""The forms of the leave wizard: who and when, then what is asked beside the forecast."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from core.admin.forms import TrimmedField, forget_typed
from operators.models import Operator
from operators.weekly import Weekly
from routing import holidays

YEARS = (date(2000, 1, 1), date(9000, 1, 1))
LONGEST = timedelta(days=5 * 366)


class Native(UnfoldAdminTextInputWidget):
    """An input for which the browser has its own calendar or clock."""

    def __init__(self, input_type: str) -> None:
        super().__init__()
        self.input_type = input_type


class Day(forms.DateField):
    def __init__(self, label: Any) -> None:
        super().__init__(label=label, input_formats=["%Y-%m-%d"], widget=Native("date"))

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value


class Clock(forms.TimeField):
    def __init__(self, label: Any, help_text: Any) -> None:
        super().__init__(
            label=label, help_text=help_text, required=False, input_formats=["%H:%M"], widget=Native("time")
        )

    def prepare_value(self, value: Any) -> Any:
        return value.strftime("%H:%M") if isinstance(value, time) else value


class LeaveForm(forms.Form):
    """Who is away from when to when: whole days, unless there are times of day. In the time zone of the schedule."""

    operator = forms.ModelChoiceField(
        Operator.objects.none(), label=gettext_lazy("Operator"), widget=UnfoldAdminSelectWidget
    )
    first = Day(gettext_lazy("First day"))
    first_time = Clock(gettext_lazy("From time"), gettext_lazy("Empty: from the beginning of the first day."))
    last = Day(gettext_lazy("Last day"))
    last_time = Clock(gettext_lazy("To time"), gettext_lazy("Empty: to the end of the last day."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].queryset = Operator.objects.current().order_by("name", "pk")  # type: ignore[attr-defined]
        forget_typed(self.fields.values())

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        if not (YEARS[0] <= given["first"] <= YEARS[1] and given["last"] - given["first"] <= LONGEST):
            self.add_error("last", _("A leave has at most five years."))
        elif given["last"] < given["first"]:
            self.add_error("last", _("The last day is before the first one."))
        else:
            self.clean_moments(given)
        return given

    def clean_moments(self, given: dict[str, Any]) -> None:
        given["zone"] = zone = holidays.zone_of(given["operator"])
        given["start"] = moment(zone, given["first"], given["first_time"] or time.min)
        end_day = given["last"] + timedelta(days=given["last_time"] is None)
        given["end"] = moment(zone, end_day, given["last_time"] or time.min)
        if given["end"] <= given["start"]:
            self.add_error("last_time", _("It must end after it begins."))
        elif given["end"] <= timezone.now():
            self.add_error("last", _("It must end in the future."))


class DetailsForm(forms.Form):
    """What is asked beside the forecast."""

    handover = forms.BooleanField(
        label=gettext_lazy("Hand over open contacts"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    reason = TrimmedField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For supervisors, such as “holiday”; you may leave it empty."),
    )


def moment(zone: ZoneInfo, day: date, clock: time) -> datetime:
    return Weekly(zone, ()).reached(day, clock)
