from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.text import capfirst


class PlainTitles(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """Page titles without a verb: in Russian, Django's "verb + model name" has the wrong grammatical case."""

    add_title: Any = None  # such as _("Add an operator"), where the page exists

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: ChangeList = super().get_changelist_instance(request)
        changelist.title = str(capfirst(self.opts.verbose_name_plural))
        return changelist

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        context["title"] = self.add_title if add else capfirst(self.opts.verbose_name)
        return super().render_change_form(request, context, add, change, form_url, obj)
