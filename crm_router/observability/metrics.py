"""The metrics that this process counts; `database_metrics` reads the others from the database at each scrape.

No label may hold a value that a client chooses: each combination is kept permanently.
"""

from prometheus_client import Counter, Gauge, Histogram

from core.db.replica import Outcome

REQUESTS = Histogram(
    "crm_router_request_duration_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
IN_PROGRESS = Gauge("crm_router_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum")
ERRORS = Counter("crm_router_errors_total", "Problem documents answered.", ["status", "code"])
REGISTRATIONS = Counter(
    "crm_router_registrations_total",
    "Contacts registered. The outcome is assigned, or the reason for waiting.",
    ["source", "outcome"],
)
MOVES = Counter("crm_router_contact_events_total", "Lines of history written.", ["what"])
DECISIONS = Histogram(
    "crm_router_decision_duration_seconds",
    "Time to choose an operator and lock it, waiting for the lock included, and of most new contacts the commit.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
LOST_RACES = Counter("crm_router_lost_races_total", "Transactions rolled back to start again.", ["cause"])
GAVE_UP = Counter("crm_router_gave_up_total", "Pieces of work that lost every race and were refused as busy.")
TIME_OUTS = Counter(
    "crm_router_time_outs_total",
    "Contacts taken away because they were not taken in time. The outcome is offered, or waiting.",
    ["outcome"],
)
OLD_READS = Counter(
    "crm_router_replica_reads_total",
    "Reads that may go to a replica. The outcome is replica, or why they went to the primary.",
    ["outcome"],
)
SWEEPS = Counter("crm_router_sweeps_total", "Sweeps of the queue by the serving processes.", ["outcome"])

# Initialised at the start: a counter that first appears with value 1 shows no increase.
for cause in ("overtaken", "deadlock", "serialization", "schema"):
    LOST_RACES.labels(cause)
for outcome in ("done", "failed"):
    SWEEPS.labels(outcome)
for read in Outcome:
    OLD_READS.labels(read.value)
for outcome in ("offered", "waiting"):
    TIME_OUTS.labels(outcome)
