"""What a verb says when it will not do as asked; it has changed nothing then. The edges translate."""

from dataclasses import dataclass


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
    """The input cannot be right, whatever the state: `errors` names every bad field."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("invalid", " ".join(dict.fromkeys(error.detail for error in errors)), errors)


class Unknown(Refusal):
    """There is no such thing, or it has been archived."""

    def __init__(self, noun: str, pk: int) -> None:
        super().__init__("not_found", f"There is no {noun} with id {pk}.")


class Conflict(Refusal):
    """The input is right, but the present state forbids it."""


class Reused(Refusal):
    """The idempotency key was given to another request before."""

    def __init__(self, key: str) -> None:
        super().__init__("idempotency_key_reused", f"The key “{key}” was used before, for a contact with another body.")


class Busy(Refusal):
    """Too many others at once; trying again in a moment is safe."""

    def __init__(self) -> None:
        super().__init__("busy", "The service is too busy to decide this now; nothing was changed, please try again.")
