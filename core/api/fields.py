from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import BaseValidator, ProhibitNullCharactersValidator, RegexValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from core import text
from core.api.problems import encodable
from core.moments import format_utc as format_utc


def translate_limits(field: serializers.Field[Any, Any, Any, Any]) -> None:
    """Makes the sentences about the field's limits in the language of each caller.

    Django REST Framework formats them once: a serializer that is shared by all requests would go on answering in the
    language of its first caller.
    """
    for validator in field.validators:
        if isinstance(validator, BaseValidator):
            sentence = field.error_messages[validator.code]
            validator.message = format_lazy(sentence, **{validator.code: validator.limit_value})


class TextField(serializers.CharField):
    """Text; a whole number counts as its digits. Invisible characters are blank, as everywhere (`core.text`)."""

    default_error_messages = {
        "number": gettext_lazy("A number in place of text must be whole, and exact: send it as text."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        translate_limits(self)

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, int | float) and not isinstance(data, bool):
            try:
                data = text.number_as_text(data)
            except ValueError:
                self.fail("number")
        if isinstance(data, str) and self.trim_whitespace:
            data = text.trim(data)
        return super().run_validation(data)


class NameField(TextField):
    """A name that shows something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, **kwargs)
        self.validators.append(RegexValidator(text.NOT_BLANK))


class MendedTextField(TextField):
    """Text in which the domain replaces what no database stores, instead of rejecting it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        unstorable = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
        self.validators = [one for one in self.validators if not isinstance(one, unstorable)]


@extend_schema_field({"type": "string", "format": "phone", "maxLength": 50})
class PhoneField(TextField):
    """A phone number in any spelling; the domain function that reads it rejects an invalid one."""


@extend_schema_field({"type": "string", "format": "idn-email", "maxLength": 254})
class EmailField(TextField):
    """An e-mail address in any spelling; the domain function that reads it rejects an invalid one."""


@extend_schema_field({"type": "string", "format": "country", "minLength": 2, "maxLength": 2})
class CountryField(TextField):
    """ISO 3166-1, two capital letters."""


class UTCDateTimeField(serializers.DateTimeField):
    """ISO 8601 in UTC with `Z`, whatever time zone the back-office shows."""

    def __init__(self, *, allow_null: bool = False) -> None:
        super().__init__(default_timezone=UTC, read_only=True, allow_null=allow_null)


class MomentField(serializers.DateTimeField):
    """A moment that a caller gives, converted to UTC. One without an offset is UTC, whatever TIME_ZONE says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, validators=[validate_year], **kwargs)


def validate_year(moment: datetime) -> None:
    """Rejects times that conversion to another time zone would move out of the supported years."""
    if not 1 < moment.year < 9999:
        raise ValidationError(_("The year must be between 2 and 9998."))


class KnownFieldsOnly(serializers.Serializer[Any]):
    """Refuses a body that has fields, but none that is known: a misspelt field must not be read as not given."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and data and self.fields.keys().isdisjoint(data):
            known = ", ".join(self.fields)
            detail = _("This call does not know the field. It knows: %(fields)s.") % {"fields": known}
            raise serializers.ValidationError(
                {encodable(str(name))[:100]: [detail] for name in list(data)[:20]}, code="unknown"
            )
        return super().to_internal_value(data)
