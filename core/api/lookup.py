from typing import Any

from django.http import Http404

from core.errors import Unknown


class LookupById:
    """First base of a viewset: an unknown id gives the same error as in the domain functions."""

    queryset: Any
    kwargs: dict[str, Any]

    def get_object(self) -> Any:
        try:
            return super().get_object()  # type: ignore[misc] # of the viewset
        except Http404:
            raise Unknown(self.queryset.model._meta.model_name, self.kwargs["pk"]) from None


class ListsArchive(LookupById):
    """First base of a viewset whose list can show the archive (`ArchiveFilter`); other calls find current objects."""

    action: str

    def get_queryset(self) -> Any:
        rows = super().get_queryset()  # type: ignore[misc] # of the viewset
        return rows if self.action == "list" else rows.current()
