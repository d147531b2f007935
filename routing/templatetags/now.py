"""Filters of the templates of the page *Now*."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def age(at: datetime | None) -> str:
    """ "3 minutes"; the largest unit only."""
    return timesince(at, timezone.now(), depth=1) if at else ""


@register.filter
def as_json(values: Mapping[str, Any]) -> str:
    """For an attribute, which escapes it."""
    return json.dumps(values)
