"""Ids in paths, bodies and queries, limited to the database's 64-bit integers."""

import django_filters
from django import forms
from django.urls import register_converter
from django.urls.converters import IntConverter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import translate_limits
from core.ids import LARGEST


class IdConverter(IntConverter):
    """`<id:...>` in a path; a larger number matches no path and gives a 404."""

    def to_python(self, value: str) -> int:
        number = super().to_python(value)
        if number > LARGEST:
            raise ValueError(f"{number} is not a valid id.")
        return number


register_converter(IdConverter, "id")


class IdField(serializers.IntegerField):
    def __init__(self, **kwargs: bool | str | None) -> None:
        super().__init__(min_value=1, max_value=LARGEST, **kwargs)  # type: ignore[arg-type] # booleans, strings, None
        translate_limits(self)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST})
class IdFilter(django_filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, **kwargs: str) -> None:
        super().__init__(min_value=1, max_value=LARGEST, **kwargs)
