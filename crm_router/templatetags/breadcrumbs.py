"""The heading of every page: the way to it, in the words of the sidebar and of the page's title."""

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse

register = template.Library()

Crumb = dict[str, Any]  # title, and link or None


@register.inclusion_tag("unfold/helpers/header_title.html", takes_context=True)
def breadcrumbs(context: Context) -> dict[str, list[Crumb]]:
    """The group and the line of the sidebar, the object, and the page's title where none of these is the page."""
    way = sidebar_crumbs(context)
    line = str(way[-1]["title"]) if way else None
    way += object_crumbs(context)
    title = context.get("title")
    if title and not context.get("change") and str(title) != line:
        way.append({"title": title, "link": None})
    return {"parts": way}


def sidebar_crumbs(context: Context) -> list[Crumb]:
    for group in context.get("sidebar_navigation") or []:
        for line in group["items"]:
            if line["active"]:
                return [
                    {"title": group["title"], "link": reverse("admin:index")},
                    {"title": line["title"], "link": line["link"]},
                ]
    return []


def object_crumbs(context: Context) -> list[Crumb]:
    """The object that the page is about, linked to its own page."""
    one: Any = context.get("original") or context.get("object")
    if not hasattr(one, "_meta"):
        return []
    name = f"admin:{one._meta.app_label}_{one._meta.model_name}_change"
    return [{"title": one, "link": reverse(name, args=[one.pk])}]
