"""The language of a response by `Accept-Language`: English, Russian, or else the service's default."""

from django.http import HttpRequest
from django.utils.translation import get_language_from_request, gettext_lazy

VARY = {"Vary": "Accept-Language"}  # for every response that contains sentences

# What Django REST Framework says only in English: named here, so that our catalogue translates it.
UNTRANSLATED = [
    gettext_lazy("Datetime value out of range."),
    gettext_lazy("Ensure this field has no more than {max_length} elements."),
    gettext_lazy("Must be a valid boolean."),
    gettext_lazy("Not a valid string."),
    gettext_lazy("Surrogate characters are not allowed: U+{code_point:X}."),
]


def choose_language(accept_language: str) -> str:
    """Chooses by the header only; the back-office's language cookie does not apply to API clients."""
    asked = HttpRequest()
    asked.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return get_language_from_request(asked)
