"""Metrics read from the database at each scrape: equal in every process, and always current."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import Error
from django.db.models import Q
from django.utils import timezone
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from crm_router import VERSION, readiness
from notifications.webhooks import delivery_stats
from routing import capacity, invariants, queue_stats
from routing.models import Contact, Source, Upkeep

log = logging.getLogger(__name__)


class DatabaseMetrics(Collector):
    def collect(self) -> Iterator[Metric]:
        """Without the database, yields only build and readiness: partial metrics would look like an empty queue.

        Whatever fails is logged and does not take the counters of this process away, which are scraped together.
        """
        yield InfoMetricFamily("crm_router_build", "The version that answers.", {"version": VERSION})
        try:
            known = [] if readiness.find_obstacle() else list(read_database())
        except Error:
            known = []
        except Exception:
            log.exception("The metrics of the database could not be read")
            known = []
        yield gauge_metric(
            "crm_router_ready",
            "1 when the database has all migrations and takes changes, else 0.",
            bool(known),
        )
        yield from known


def read_database() -> Iterator[Metric]:
    lengths = {length.source_id: length for length in queue_stats.queue_lengths()}
    names = dict(
        Source.objects.filter(Q(archived_at__isnull=True) | Q(pk__in=lengths)).values_list("pk", "name").order_by("pk")
    )
    free = capacity.free_places_by_source()
    now = timezone.now()
    waiting = {pk: lengths[pk].waiting if pk in lengths else 0 for pk in names}
    ages = {pk: (now - lengths[pk].oldest_created_at).total_seconds() if pk in lengths else 0 for pk in names}

    yield source_names_metric(names)
    yield metric_by_source("crm_router_queue_length", "Contacts that wait.", waiting)
    yield metric_by_source(
        "crm_router_queue_oldest_age_seconds", "Age of the oldest contact that waits, 0 for none.", ages
    )
    yield metric_by_source(
        "crm_router_source_free_places",
        "Contacts that the roster could take now.",
        {pk: free.get(pk, 0) for pk in names},
    )
    yield gauge_metric(
        "crm_router_free_places", "Contacts that all operators together could take now.", capacity.free_places()
    )
    yield gauge_metric(
        "crm_router_capped_operators",
        "Operators on duty who have had enough for this hour or day.",
        capacity.capped_operators(),
    )
    yield gauge_metric(
        "crm_router_drifted_loads",
        "Operators whose load is not the number of their open contacts.",
        sum(1 for _ in invariants.drifted_loads()),
    )
    yield gauge_metric(
        "crm_router_overdue_contacts",
        "Contacts that were not taken in time, and are still to be taken away.",
        Contact.objects.overdue().count(),
    )
    upkeep = Upkeep.objects.first() or Upkeep()
    yield time_metric(
        "crm_router_last_tick_timestamp_seconds",
        "When the clock of time-outs and duty has last moved, to ten seconds, 0 for never.",
        upkeep.ticked_at,
    )
    yield time_metric(
        "crm_router_last_sweep_timestamp_seconds", "When the queue was swept last, 0 for never.", upkeep.swept_at
    )
    yield time_metric(
        "crm_router_last_tally_timestamp_seconds",
        "When past hours were tallied last, 0 for never.",
        upkeep.tallied_at,
    )
    yield time_metric(
        "crm_router_last_prune_timestamp_seconds",
        "When old keys and sessions were deleted last, 0 for never.",
        upkeep.pruned_at,
    )
    yield time_metric(
        "crm_router_last_check_timestamp_seconds",
        "When everything was compared with the history last, 0 for never.",
        upkeep.checked_at,
    )
    yield gauge_metric("crm_router_check_findings", "What that comparison has found.", upkeep.check_findings)
    yield from read_webhooks(now)


def read_webhooks(now: datetime) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "crm_router_webhook_attempts", "Calls of webhooks that have ended, by outcome.", labels=["outcome"]
    )
    for outcome, count in sorted(delivery_stats.count_attempts().items()):
        attempts.add_metric([outcome], count)
    yield attempts
    pending = delivery_stats.pending_deliveries(now)
    yield gauge_metric(
        "crm_router_webhook_deliveries_pending", "Deliveries that active webhooks have yet to get.", pending.count
    )
    yield gauge_metric(
        "crm_router_webhook_oldest_pending_age_seconds",
        "Age of the oldest delivery that an active webhook has yet to get, 0 for none.",
        pending.oldest_age,
    )


def gauge_metric(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value)


def time_metric(name: str, help_text: str, at: datetime | None) -> Metric:
    return gauge_metric(name, help_text, at.timestamp() if at else 0)


def metric_by_source(name: str, help_text: str, values: Mapping[int, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=["source"])
    for pk, value in values.items():
        family.add_metric([str(pk)], value)
    return family


def source_names_metric(names: Mapping[int, str]) -> Metric:
    family = InfoMetricFamily("crm_router_source", "The name of each source.", labels=["source"])
    for pk, name in names.items():
        family.add_metric([str(pk)], {"name": name})
    return family
