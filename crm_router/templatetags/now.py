"""Filters of the templates of the page *Now*."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from core.admin import formatting

register = template.Library()


@register.filter
def age(at: datetime | None) -> str:
    """ "3 min" """
    return formatting.duration_text(timezone.now() - at) if at else ""


@register.filter
def as_json(values: Mapping[str, Any]) -> str:
    """For an attribute, which escapes it."""
    return json.dumps(values)
