from dataclasses import dataclass

from notifications.models import Attempt


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from an address. `status`: None if nothing did. `error`: None if the request was accepted."""

    status: int | None
    error: Attempt.Error | None
    text: str
    duration_ms: int

    @property
    def is_accepted(self) -> bool:
        return self.error is None
