from typing import Any

from django.http import Http404

from core.errors import Unknown


class LookupById:
    """For viewsets, as their first base: an id that does not exist gives the same sentence as in the verbs."""

    queryset: Any
    kwargs: dict[str, Any]

    def get_object(self) -> Any:
        try:
            return super().get_object()  # type: ignore[misc] # of the viewset
        except Http404:
            raise Unknown(self.queryset.model._meta.model_name, self.kwargs["pk"]) from None
