"""Places in the feed of events."""

import re
import time
from dataclasses import dataclass, field
from typing import Self

from core.ids import LARGEST

TEXT = re.compile(r"0|[0-9]{1,19}(?:-[0-9]{1,19}){4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed: everything before it has been read. To callers it is an opaque text; "0" is the beginning.

    On PostgreSQL events are read in windows of transactions. Within a window, of which `low <= transaction < high`,
    they come in order of their ids: `contact_event` and `change` are the last ids that have been read, by table.
    Between two windows `low` and `high` are equal. On SQLite, where ids are in order, everything is one window.
    """

    low: int = 0
    high: int = 0
    contact_event: int = 0
    change: int = 0
    made_at: int = field(default_factory=lambda: int(time.time()), compare=False)  # seconds since 1970

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError if the text is not a cursor."""
        numbers = [int(number) for number in text.split("-")] if TEXT.fullmatch(text) else []
        if not numbers or max(numbers) > LARGEST or (len(numbers) > 1 and numbers[0] > numbers[1]):
            raise ValueError("This is not a cursor.")
        return cls(*numbers) if len(numbers) > 1 else cls()

    def __str__(self) -> str:
        return f"{self.low}-{self.high}-{self.contact_event}-{self.change}-{self.made_at}"

    @property
    def is_between_windows(self) -> bool:
        return self.low == self.high


START = Cursor()
