"""The tabs above the list of clients: all of them, and those who may be one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst

from core.admin.verbs import VerbAdmin
from leads.models import Lead, PossibleDuplicate

MANY = 99  # stops counting there


class ClientTabs(VerbAdmin):
    """The base of both lists."""

    list_before_template = "leads/client_tabs.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tabs = {"client_tabs": self.list_tabs(request)}
        response: HttpResponse = super().changelist_view(request, (extra_context or {}) | tabs)
        return response

    def list_tabs(self, request: HttpRequest) -> list[dict[str, Any]]:
        """One tab for each list that the user may see; none if that is one."""
        tabs = [
            {
                "label": str(capfirst(model._meta.verbose_name_plural)),
                "url": reverse(f"admin:leads_{model._meta.model_name}_changelist"),
                "count": count_undecided() if model is PossibleDuplicate else "",
                "is_chosen": model is self.model,
            }
            for model in (Lead, PossibleDuplicate)
            if any(request.user.has_perm(f"leads.{verb}_{model._meta.model_name}") for verb in ("view", "change"))
        ]
        return tabs if len(tabs) > 1 else []


def count_undecided() -> str:
    count = PossibleDuplicate.objects.undecided().values("pk")[: MANY + 1].count()
    return f"{MANY}+" if count > MANY else str(count)
