"""The page on which supervisors import the public holidays of a country as absences."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from core.admin import weekly_forms
from core.admin.forms import forget_typed
from core.admin.verbs import acting_author
from operators.models import Operator
from routing import holidays

YEARS = 3  # to choose from, from this one on


class CountrySelect(UnfoldAdminSelectWidget):
    """Names of countries, which the script of the back-office translates: browsers know them in every language."""

    def __init__(self) -> None:
        super().__init__({"data-regions": ""})


class CalendarForm(forms.Form):
    """Which calendar to show."""

    country = forms.ChoiceField(label=gettext_lazy("Country"), widget=CountrySelect)
    year = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Years"), coerce=int, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this_year = timezone.localdate().year
        fields: Any = self.fields
        fields["country"].choices = list(holidays.countries().items())
        fields["year"].choices = [(year, str(year)) for year in range(this_year, this_year + YEARS)]
        forget_typed(self.fields.values())

    def holidays(self) -> list[holidays.Holiday]:
        return holidays.public_holidays(
            country=self.cleaned_data["country"],
            years=self.cleaned_data["year"],
            language=get_language() or "en",
            since=timezone.localdate() + timedelta(days=1),
        )


class HolidaysForm(forms.Form):
    """Which of these days are absences, and whose."""

    days = forms.MultipleChoiceField(label=gettext_lazy("Days off"), widget=UnfoldAdminCheckboxSelectMultipleWidget)
    operators = forms.ModelMultipleChoiceField(
        Operator.objects.none(), label=gettext_lazy("Operators"), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, *args: Any, offered: list[holidays.Holiday], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = {day.isoformat(): (day, name) for day, name in offered}
        fields: Any = self.fields
        fields["days"].choices = [(key, day_label(*one)) for key, one in self.names.items()]
        fields["days"].initial = list(self.names)
        fields["operators"].queryset = Operator.objects.current().order_by("name", "pk")
        fields["operators"].initial = list(fields["operators"].queryset.values_list("pk", flat=True))
        forget_typed(self.fields.values())

    @property
    def chosen(self) -> list[holidays.Holiday]:
        return [self.names[key] for key in self.cleaned_data["days"]]


def day_label(day: date, name: str) -> str:
    """ "Fri, 1 January 2027: New Year's Day" """
    weekday, date_text = weekly_forms.WEEKDAYS[day.isoweekday()], formats.date_format(day, "DATE_FORMAT")
    return f"{weekday}, {date_text}: {name}"


def import_page(request: HttpRequest) -> HttpResponse:
    """Shows the holidays of the chosen calendar, and adds the confirmed ones."""
    if not request.user.has_perm("operators.change_operator"):
        raise PermissionDenied
    calendar = CalendarForm(
        request.GET if "country" in request.GET else None,
        initial={"country": settings.PHONE_REGION, "year": [timezone.localdate().year + 1]},
    )
    chosen = None
    if calendar.is_valid():
        sent = request.POST if request.method == "POST" else None
        chosen = HolidaysForm(sent, offered=calendar.holidays())
        if chosen.is_valid():
            operator_ids = [operator.pk for operator in chosen.cleaned_data["operators"]]
            count = holidays.import_holidays(
                days=chosen.chosen, operator_ids=operator_ids, author=acting_author(request)
            )
            tell(request, count)
            return redirect(request.get_full_path())
    context = {"title": _("Public holidays"), "calendar": calendar, "chosen": chosen}
    return render(request, "routing/holidays.html", admin.site.each_context(request) | context)


def tell(request: HttpRequest, count: holidays.ImportCount) -> None:
    if count.added:
        words = ngettext("%(count)d absence was added.", "%(count)d absences were added.", count.added)
        messages.success(request, words % {"count": count.added})
    if count.skipped:
        words = ngettext(
            "%(count)d was skipped: the operator has another absence at that time.",
            "%(count)d were skipped: the operators have other absences at that time.",
            count.skipped,
        )
        messages.warning(request, words % {"count": count.skipped})
