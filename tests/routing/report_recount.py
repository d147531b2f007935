"""A slow recount of reports: in plain Python, over all rows of the history, with exact durations."""

from collections import Counter, defaultdict
from math import ceil
from typing import Any

from operators.duty import duty_intervals
from operators.models import Operator
from routing.models import ContactEvent

REACTIONS = ("accepted", "touched")
EVENTS = ("registered", "accepted", "declined", "timed_out", "resolved", "reopened")


def recount(since, until, key_of, *, source_id=None, operator_id=None):
    """By key: numbers by name of the event, and sorted seconds by name of the duration."""
    numbers: dict[Any, Counter[str]] = defaultdict(Counter)
    durations: dict[Any, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for event in ContactEvent.objects.select_related("contact"):
        if not since <= event.at < until or source_id not in (None, event.contact.source_id):
            continue
        past = list(ContactEvent.objects.filter(contact=event.contact, pk__lt=event.pk).order_by("pk"))
        for name, who, seconds in facts(event, past):
            if operator_id in (None, who):
                key = key_of(event.contact.source_id, who, event.at)
                if seconds is None:
                    numbers[key][name] += 1
                else:
                    durations[key][name].append(seconds)
    return numbers, {key: {name: sorted(its) for name, its in found.items()} for key, found in durations.items()}


def facts(event, past):
    """What happened: name, whose it is, and the seconds of a duration."""
    of_the_one_before = event.what in ("declined", "timed_out", "resolved")
    if event.what in EVENTS:
        yield event.what, event.from_operator_id if of_the_one_before else event.to_operator_id, None
    gets_it = event.what not in (*REACTIONS, "resolved") and event.to_operator_id
    if gets_it:
        yield "assigned", event.to_operator_id, None
        began = wait_began(event, past)
        if began:
            yield "waiting", event.to_operator_id, max((event.at - began).total_seconds(), 0)
    if event.what in REACTIONS:
        since_then = []
        for line in reversed(past):
            if line.what not in REACTIONS:
                break
            since_then.append(line)
        if not since_then:
            yield "first_reaction", event.to_operator_id, max((event.at - past[-1].at).total_seconds(), 0)
    if event.what == "resolved":
        yield "resolution", event.from_operator_id, max((event.at - past[0].at).total_seconds(), 0)


def wait_began(event, past):
    """When the wait began that this assignment ends; None if another operator had the contact."""
    if event.what in ("registered", "reopened"):
        return event.at
    if past[-1].to_operator_id:
        return None
    began = past[-1]
    for line in reversed(past):  # back to the first row of those after which nobody has had it
        if line.to_operator_id or line.what == "resolved":
            break
        began = line
    return began.at


def percentile(seconds, share):
    return seconds[ceil(share * len(seconds)) - 1] if seconds else None


def duty_seconds(since, until):
    return {
        pk: sum((end - begin).total_seconds() for begin, end in duty_intervals(operator_id=pk, start=since, end=until))
        for pk in Operator.objects.values_list("pk", flat=True)
    }
