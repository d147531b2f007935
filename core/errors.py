"""Errors of domain functions, raised with nothing changed. Callers map them to HTTP statuses, messages or exit codes.

Sentences are in the active language: the caller's in the API and in the back-office, the service's elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DOES_NOT_EXIST = {
    "operator": gettext_lazy("Operator %(id)s does not exist."),
    "source": gettext_lazy("Source %(id)s does not exist."),
    "lead": gettext_lazy("Lead %(id)s does not exist."),
    "identity of this lead": gettext_lazy("Identity %(id)s does not belong to this lead."),
    "contact": gettext_lazy("Contact %(id)s does not exist."),
    "change": gettext_lazy("Change %(id)s does not exist."),
    "absence": gettext_lazy("Absence %(id)s does not exist."),
    "possible duplicate": gettext_lazy("Possible duplicate %(id)s does not exist."),
    "webhook": gettext_lazy("Webhook %(id)s does not exist."),
    "delivery": gettext_lazy("Delivery %(id)s does not exist."),
    "what-if": gettext_lazy("What-if %(id)s does not exist."),
    "channel": gettext_lazy("Channel %(id)s does not exist."),
    "operator on this roster": gettext_lazy("Operator %(id)s is not on the roster of this source."),
}


@dataclass(frozen=True)
class FieldError:
    """One bad field of the input: its name as the caller wrote it, a code for programs, a sentence for people."""

    field: str
    code: str
    detail: str


class Refusal(Exception):
    """`code` is for programs, `detail` one sentence for people."""

    def __init__(self, code: str, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors


class Invalid(Refusal):
    """The input is invalid in any state: `errors` names every bad field."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("invalid", " ".join(dict.fromkeys(error.detail for error in errors)), errors)


class Unknown(Refusal):
    """The object does not exist or is archived. `noun` is a key of DOES_NOT_EXIST."""

    def __init__(self, noun: str, pk: int) -> None:
        super().__init__("not_found", str(DOES_NOT_EXIST[noun]) % {"id": pk})


class Conflict(Refusal):
    """The input is valid, but the present state forbids it."""


class Overtaken(Conflict):
    """Another one has changed a value that the caller has seen and wanted to change."""

    def __init__(self) -> None:
        super().__init__("changed_meanwhile", _("Another change came first. Nothing was changed; please look again."))


class Reused(Refusal):
    """The idempotency key belongs to a contact that was registered with another body."""

    def __init__(self, key: str) -> None:
        detail = _("The idempotency key “%(key)s” was already used for a contact with another body.") % {"key": key}
        super().__init__("idempotency_key_reused", detail)


def raise_if_overtaken(row: object, seen: Mapping[str, Any] | None) -> None:
    """Raises Overtaken if an attribute of the row, which is locked, no longer has the value that the caller has seen.

    `seen`: values by name; None if the caller has not looked.
    """
    if any(getattr(row, name) != value for name, value in (seen or {}).items()):
        raise Overtaken


class Busy(Refusal):
    """The transaction lost too many races against others. Trying again is safe."""

    def __init__(self) -> None:
        super().__init__("busy", _("The service is too busy. Nothing was changed; please try again."))
