"""The history of what a page shows. Django's log of the back-office is neither written nor shown.

Its entries are in the language of the user who wrote them, and know only of changes through pages. The functions of the
domain record all changes instead.
"""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


class OwnHistory(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """The button History leads to the changes of configuration, if there are any of this kind of object."""

    history_query: str | None = None  # of the list of changes, such as "operator=%s"; None: the page shows its history

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        instance = self.get_object(request, object_id)
        if instance is None or not self.has_view_permission(request, instance):
            raise PermissionDenied
        if self.history_query is None or not may_view_changes(request):
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk])
            )
        return HttpResponseRedirect(f"{reverse('admin:changes_change_changelist')}?{self.history_query % instance.pk}")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["show_history"] = self.history_query is not None and may_view_changes(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None


def may_view_changes(request: HttpRequest) -> bool:
    return request.user.has_perm("changes.view_change")
