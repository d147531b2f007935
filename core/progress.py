"""Shows in a terminal how far a command has come; elsewhere, such as in a log, one plain line every ten seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import OutputWrapper
from tqdm import tqdm

PAUSE = 10  # seconds between two plain lines


class Unstyled:
    """The error stream of a command without what Django adds: colours, and an end of line after every refresh."""

    def __init__(self, stream: OutputWrapper) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        self.stream.write(text, style_func=str, ending="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class PlainProgress:
    """What tqdm's bar can do, in lines."""

    def __init__(self, stream: OutputWrapper, unit: str, total: int | None, clock: Callable[[], float]) -> None:
        self.stream, self.unit, self.clock = stream, unit, clock
        self.of_total = f" of {total}" if total else ""
        self.n = 0
        self.shown_at = clock()

    def update(self, more: int = 1) -> None:
        self.n += more
        if self.clock() - self.shown_at >= PAUSE:
            self.shown_at = self.clock()
            self.stream.write(f"{self.n}{self.of_total} {self.unit}", style_func=str)


@contextmanager
def progress(
    stream: OutputWrapper, *, unit: str, total: int | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Any]:
    """Yields something with `update(more)`, and with `n`, the sum so far."""
    if stream.isatty():
        with tqdm(total=total, unit=f" {unit}", file=Unstyled(stream)) as bar:
            yield bar
    else:
        yield PlainProgress(stream, unit, total, clock)


def write_above(stream: OutputWrapper, line: str) -> None:
    """Writes a line above the bar, if there is one."""
    with tqdm.external_write_mode(file=Unstyled(stream)):
        stream.write(line)
