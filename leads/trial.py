"""A trial registration: a contact goes the whole way of a real one, and is taken back before anything is kept."""

from dataclasses import dataclass

from core import retry
from leads import registration
from routing import explanation

EXTERNAL_ID = "trial"  # no phone and no e-mail, which could be somebody's


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have happened: the operator's name, None if the contact would wait; and why, in a sentence."""

    operator: str | None
    why: str


class TakenBack(Exception):
    """Rolls the transaction back, with what was learned in it."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial


def try_registration(*, source_id: int, message: str, by: str) -> Trial:
    """Registers a contact as a bot would, and rolls the transaction back.

    So it takes nobody's place and turn, appears in no list and figure, and nobody is notified of it: all of that reads
    what is committed. Raises what `registration.register_contact` raises.
    """
    try:
        for attempt in retry.attempts():
            with attempt:
                contact = registration.register_contact(
                    source_id=source_id, lead_external_id=EXTERNAL_ID, message=message, by=by
                )
                operator = contact.operator.name if contact.operator else None
                raise TakenBack(Trial(operator, explanation.explain_decision(contact_id=contact.pk).text))
    except TakenBack as taken_back:
        return taken_back.trial
    raise AssertionError  # each attempt ends with an exception
