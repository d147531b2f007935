"""Filters with one choice of a few."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from unfold.contrib.filters.admin import RadioFilter


class ChoiceFilter(RadioFilter):
    """A radio filter that redirects to the unfiltered list on an unknown choice, instead of ignoring it silently."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.value() and self.value() not in {value for value, _label in self.lookup_choices}:
            raise IncorrectLookupParameters
