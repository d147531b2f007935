"""The archive in lists: hidden by default, shown by a filter, read-only."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin.filters import ChoiceFilter

PARAMETER, ARCHIVED = "archive", "yes"


class ArchiveFilter(ChoiceFilter):
    title = _("archive")
    parameter_name = PARAMETER
    all_option = ["", _("Current")]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:
        return [(ARCHIVED, _("Archived"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[models.Model]) -> models.QuerySet[models.Model]:
        return queryset.filter(archived_at__isnull=self.value() != ARCHIVED)


def archive_is_shown(request: HttpRequest) -> bool:
    """Whether this request is for the archive's list."""
    return request.GET.get(PARAMETER) == ARCHIVED


def archive_fields(instance: Any) -> list[str]:
    """The field with the time of archiving, for an archived object; else none."""
    return ["archived_at"] if instance and instance.archived_at else []
