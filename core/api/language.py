"""The language of a response by `Accept-Language`: English, Russian, or else the service's default."""

from django.http import HttpRequest
from django.utils.translation import get_language_from_request

VARY = {"Vary": "Accept-Language"}  # for every response that contains sentences


def choose_language(accept_language: str) -> str:
    """Chooses by the header only; the back-office's language cookie does not apply to API clients."""
    asked = HttpRequest()
    asked.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return get_language_from_request(asked)
