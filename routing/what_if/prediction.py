"""What many replays of one past have in common, and whether they agree with what really happened. Pure.

A share has a band in which 95 of 100 further runs lie, by the normal distribution; waits and queues, which no such
curve fits, have the band in which the middle 95 of 100 replays lie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist, fmean, median, stdev

from routing.what_if.simulation import Outcome, Replay
from routing.what_if.timeline import ALWAYS, Past, Setting, timeline

SEEDS = 100
FEWEST_SEEDS = 10
# Contacts in all replays together, for strategies that look at every operator for every contact.
MOST_CHOICES = 500_000
BAND = NormalDist().inv_cdf(0.975)
HOUR = 3600.0

# How far history may be outside of what the replays gave before a prediction is refused. All operators together are
# called different by chance in 1 of 1,000 runs. The replay does not know everything, so small differences are let pass.
LEVEL = 0.001
SHARE_TOLERANCE = 0.01  # of all contacts
WAIT_TOLERANCE = 0.25  # of the wait
SECONDS_TOLERANCE = 60.0


@dataclass(frozen=True, slots=True)
class Band:
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """`shares` by operator, parts of 1; waits in seconds; `queue_by_hour`: how many wait on average, by hour of day.

    `deviations`: the standard deviation of each share from run to run."""

    shares: Mapping[int, Band]
    deviations: Mapping[int, float]
    waiting_p50: Band
    waiting_p90: Band
    longest_queue: Band
    queue_by_hour: Sequence[Band]


@dataclass(frozen=True, slots=True)
class Observed:
    """What really happened: contacts by operator, and the waits that were not 0 as (since, until)."""

    assigned: Mapping[int, int]
    waits: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be different all the time. `roster`: None for the one of then; who is not on it gets nothing."""

    weights: Mapping[int, int]
    limits: Mapping[int, int]
    roster: Sequence[int] | None = None
    strategy: str | None = None


def with_changes(past: Past, changes: Changes) -> Past:
    """The same past with these settings instead of those of then."""
    others = [one for one in past.settings if not is_replaced(one, changes)]
    fixed = [Setting(ALWAYS, "weight", weight, pk) for pk, weight in changes.weights.items()]
    fixed += [Setting(ALWAYS, "limit", limit, pk) for pk, limit in changes.limits.items()]
    if changes.strategy:
        fixed.append(Setting(ALWAYS, "strategy", changes.strategy))
    return replace(past, settings=[*others, *fixed])


def is_replaced(setting: Setting, changes: Changes) -> bool:
    if setting.name == "weight":
        is_off = changes.roster is not None and setting.operator_id not in changes.roster
        return is_off or setting.operator_id in changes.weights
    if setting.name == "limit":
        return setting.operator_id in changes.limits
    return setting.name == "strategy" and changes.strategy is not None


def predict(past: Past, *, go_on: Callable[[], object] = lambda: None) -> Prediction:
    """Replays the past with several seeds. `go_on` is called between two replays; it raises to end this."""
    events = timeline(past)
    outcomes = []
    for seed in range(seeds_for(past)):
        go_on()
        outcomes.append(Replay(past, events, seed).run())
    return sum_up(past, outcomes)


def seeds_for(past: Past) -> int:
    strategies = {setting.value for setting in past.settings if setting.name == "strategy"}
    if strategies <= {"smooth"} and strategies:
        return 1  # nothing is drawn
    if strategies <= {"weighted_random"}:
        return SEEDS
    return max(FEWEST_SEEDS, min(SEEDS, MOST_CHOICES // max(len(past.arrivals), 1)))


def sum_up(past: Past, outcomes: Sequence[Outcome]) -> Prediction:
    totals = [sum(outcome.assigned.values()) for outcome in outcomes]
    operator_ids = sorted({pk for outcome in outcomes for pk in outcome.assigned})
    series = {
        pk: [
            outcome.assigned.get(pk, 0) / total if total else 0.0
            for outcome, total in zip(outcomes, totals, strict=True)
        ]
        for pk in operator_ids
    }
    one_contact = 1 / max(fmean(totals), 1.0)
    waits = [waiting_percentiles(len(past.arrivals), outcome.waits) for outcome in outcomes]
    by_hour = [queue_by_hour(past.hours, outcome.waits) for outcome in outcomes]
    return Prediction(
        shares={pk: share_band(shares, one_contact) for pk, shares in series.items()},
        deviations={pk: stdev(shares) if len(shares) > 1 else 0.0 for pk, shares in series.items()},
        waiting_p50=middle_band([p50 for p50, _ in waits]),
        waiting_p90=middle_band([p90 for _, p90 in waits]),
        longest_queue=middle_band([float(outcome.longest_queue) for outcome in outcomes]),
        queue_by_hour=[middle_band(list(values)) for values in zip(*by_hour, strict=True)],
    )


def share_band(shares: Sequence[float], one_contact: float) -> Band:
    """Where one further run lies: its own chance, and that of the mean of these. Contacts are whole."""
    mean = fmean(shares)
    spread = stdev(shares) * sqrt(1 + 1 / len(shares)) if len(shares) > 1 else 0.0
    reach = BAND * spread + one_contact
    return Band(mean, max(mean - reach, 0.0), min(mean + reach, 1.0))


def middle_band(values: Sequence[float]) -> Band:
    ranked = sorted(values)
    cut = int(0.025 * len(ranked))
    return Band(median(ranked), ranked[cut], ranked[-1 - cut])


def waiting_percentiles(contacts: int, waits: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Seconds that half of all contacts waited at most, and 90 of 100. Who has not got anybody waited to the end."""
    ranked = sorted(until - since for since, until in waits)
    at_once = contacts - len(ranked)

    def percentile(part: float) -> float:
        place = max(int(part * contacts + 0.999999) - 1, 0) - at_once
        return ranked[place] if 0 <= place < len(ranked) else 0.0

    return percentile(0.5), percentile(0.9)


def queue_by_hour(hours: Sequence[tuple[float, int]], waits: Sequence[tuple[float, float]]) -> list[float]:
    """How many wait on average in each of the 24 hours of the day."""
    if not hours:
        return [0.0] * 24
    first, end = hours[0][0], hours[0][0] + len(hours) * HOUR
    parts, whole = [0.0] * len(hours), [0] * (len(hours) + 1)
    for since, until in waits:
        begin, stop = max(since, first), min(until, end)
        if begin >= stop:
            continue
        early, late = int((begin - first) // HOUR), min(int((stop - first) // HOUR), len(hours) - 1)
        if early == late:
            parts[early] += stop - begin
        else:
            parts[early] += first + (early + 1) * HOUR - begin
            parts[late] += stop - (first + late * HOUR)
            whole[early + 1] += 1  # from this hour on one more waits the whole hour
            whole[late] -= 1
    seconds, number, waiting = [0.0] * 24, [0] * 24, 0
    for place, (_, hour) in enumerate(hours):
        waiting += whole[place]
        seconds[hour] += parts[place] + waiting * HOUR
        number[hour] += 1
    return [total / (count * HOUR) if count else 0.0 for total, count in zip(seconds, number, strict=True)]


def differences(observed: Observed, replayed: Prediction, contacts: int) -> dict[int | str, tuple[float, Band]]:
    """Where history is outside of what replays of it gave: operator ids, and `waiting_p50` or `waiting_p90`, each with
    what was and what the replays gave. Empty if history is reproduced."""
    total = sum(observed.assigned.values())
    operator_ids = replayed.shares.keys() | observed.assigned.keys()
    reach = NormalDist().inv_cdf(1 - LEVEL / 2 / max(len(operator_ids), 1))
    found: dict[int | str, tuple[float, Band]] = {}
    for pk in sorted(operator_ids):
        share = observed.assigned.get(pk, 0) / total if total else 0.0
        band = replayed.shares.get(pk, Band(0.0, 0.0, 0.0))
        allowed = max(reach * replayed.deviations.get(pk, 0.0), 1 / max(total, 1)) + SHARE_TOLERANCE
        if abs(share - band.value) > allowed:
            found[pk] = share, band
    waits = waiting_percentiles(contacts, observed.waits)
    for name, wait, band in (
        ("waiting_p50", waits[0], replayed.waiting_p50),
        ("waiting_p90", waits[1], replayed.waiting_p90),
    ):
        low = band.low * (1 - WAIT_TOLERANCE) - SECONDS_TOLERANCE
        high = band.high * (1 + WAIT_TOLERANCE) + SECONDS_TOLERANCE
        if not low <= wait <= high:
            found[name] = wait, band
    return found
