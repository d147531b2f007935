"""Filters of which one of a few answers is chosen."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from unfold.contrib.filters.admin import RadioFilter


class ChoiceFilter(RadioFilter):
    """An answer that is not among those offered leads to the whole list: it would be lit and filter nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.value() and self.value() not in {value for value, _label in self.lookup_choices}:
            raise IncorrectLookupParameters
