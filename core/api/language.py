"""The language that a caller asks for with `Accept-Language`: English, Russian, or else the service's own."""

from django.http import HttpRequest
from django.utils.translation import get_language_from_request

VARY = {"Vary": "Accept-Language"}  # for every answer with sentences in it


def choose_language(accept_language: str) -> str:
    """By the header alone: the cookie of the back-office says nothing about programs."""
    asked = HttpRequest()
    asked.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return get_language_from_request(asked)
