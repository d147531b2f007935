"""Pagination of tables that are too large to count."""

from typing import Any

from django.core.paginator import Page
from unfold.paginator import InfinitePaginator


class DeepPages(InfinitePaginator):
    """Selects the keys of a page first, so that the database skips index entries instead of joined rows."""

    def page(self, number: int | str) -> Page[Any]:
        page: Page[Any] = super().page(number)
        if page.number > 1:
            found: Any = page.object_list
            page.object_list = self.object_list.filter(pk__in=list(found.values_list("pk", flat=True)))
        return page
