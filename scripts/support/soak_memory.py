"""Whether the memory of the service stays flat."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import mean

EVERY = 5.0  # seconds
WARMING = 0.1  # of the run, which is left out
GROWTH, ALLOWANCE = 1.25, 15.0  # of the mean of the first quarter, and megabytes on top
SHOWN = 12  # moments of the series


class Memory:
    """Samples megabytes (PSS) of several groups of processes."""

    def __init__(self, groups: Mapping[str, Callable[[], float]]) -> None:
        self.groups, self.begun = groups, time.monotonic()
        self.moments: list[float] = []  # seconds since the beginning
        self.series: dict[str, list[float]] = {name: [] for name in groups}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self) -> None:
        while not self.ending.wait(EVERY):
            self.moments.append(time.monotonic() - self.begun)
            for name, measure in self.groups.items():
                self.series[name].append(measure())

    def end(self) -> None:
        self.ending.set()
        self.thread.join()


def check_memory(series: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """The last quarter against the first, in the mean: killed processes are missing for a moment."""
    for name, values in series.items():
        kept = values[int(len(values) * WARMING) :]
        quarter = max(1, len(kept) // 4)
        if not kept:
            yield f"memory: {name} was never measured"
            continue
        first, last = mean(kept[:quarter]), mean(kept[-quarter:])
        print(f"memory of {name}: {first:.0f} MB in the first quarter, {last:.0f} MB in the last", flush=True)
        if last > first * GROWTH + ALLOWANCE:
            yield f"memory: {name} grew from {first:.0f} to {last:.0f} MB"


def table(moments: Sequence[float], series: Mapping[str, Sequence[float]]) -> str:
    places = [round(n * (len(moments) - 1) / (SHOWN - 1)) for n in range(SHOWN)] if len(moments) >= SHOWN else []
    lines = ["| minute | " + " | ".join(series) + " |", "|" + "---|" * (len(series) + 1)]
    for place in places:
        cells = [f"{values[place]:.0f}" for values in series.values()]
        lines.append(f"| {moments[place] / 60:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
