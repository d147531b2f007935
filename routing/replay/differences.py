"""What a replay finds: sentences with the ids of what they are about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN = 20  # differences of one kind that are listed; all are counted


class Kind(StrEnum):
    HISTORY = "history"  # the events of a contact do not follow from one another
    CONTACT = "contact"  # the row of a contact is not what its history ends with
    LOAD = "load"
    SETTING = "setting"  # not what the last record of its changes has left
    REPORT = "report"  # the tallies of reports
    FAIRNESS = "fairness"  # the tallies of decisions
    TURN = "turn"  # the state of the strategy `smooth`


@dataclass(frozen=True, slots=True)
class Difference:
    """`ids`: by name, such as contact, event, operator, source or change."""

    kind: Kind
    text: str
    ids: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """The differences, the first SHOWN of each kind."""

    shown: list[Difference] = field(default_factory=list)
    counts: dict[Kind, int] = field(default_factory=dict)

    def add(self, differences: Iterable[Difference]) -> None:
        for difference in differences:
            number = self.counts[difference.kind] = self.counts.get(difference.kind, 0) + 1
            if number <= SHOWN:
                self.shown.append(difference)

    def sentences(self) -> Iterator[str]:
        yield from (difference.text for difference in self.shown)
        for kind, number in self.counts.items():
            if number > SHOWN:
                yield f"{number - SHOWN} more differences of the kind “{kind}”."
