"""Pages of an admin beside its list and its form, such as one that shows a secret once."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class OwnPages(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    def render_page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return render(request, template, self.admin_site.each_context(request) | {"opts": self.opts} | context)
