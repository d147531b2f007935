"""Pasts that never happened, for replays."""

from random import Random

from routing.what_if.prediction import Observed
from routing.what_if.simulation import Replay
from routing.what_if.timeline import ALWAYS, Arrival, Past, Setting, timeline

DAY = 86_400.0


def operator(operator_id, *, weight=10, limit=10, **more):
    """The settings of an operator on duty; `more`: others that hold from the begin on."""
    values = {"weight": weight, "limit": limit} | more
    return [Setting(ALWAYS, name, value, operator_id) for name, value in values.items()] + [
        Setting(0.0, "duty", True, operator_id)
    ]


def past(arrivals, *people, holdings=(), until=DAY, strategy="weighted_random", more=(), **fields):
    """`arrivals`: pairs of the moment and the seconds that it lasts. `people`: what `operator` returns."""
    settings = [Setting(ALWAYS, "strategy", strategy), *(one for its in people for one in its), *more]
    return Past([Arrival(*one) for one in arrivals], holdings, settings, until, **fields)


def busy_days(seed, *, contacts=600, days=1, weights=(10, 20, 30), limit=4, lasting=600.0, **fields):
    """Contacts at random moments, for operators 1, 2 and 3, one of whom is away every night."""
    chance = Random(seed)
    arrivals = [
        (at, chance.expovariate(1 / lasting)) for at in sorted(chance.random() * days * DAY for _ in range(contacts))
    ]
    people = [operator(pk, weight=weight, limit=limit) for pk, weight in enumerate(weights, 1)]
    nights = [
        Setting(day * DAY + at, "duty", is_on, 1)
        for day in range(days)
        for at, is_on in ((75_000, False), (86_000, True))
    ]
    hours = [(hour * 3600.0, hour % 24) for hour in range(days * 24)]
    return past(arrivals, *people, more=nights, until=days * DAY, hours=hours, **fields)


def happened(that, seed=-1):
    """What is observed if the past has gone as this replay does."""
    outcome = Replay(that, timeline(that), seed).run()
    return Observed(outcome.assigned, outcome.waits)
