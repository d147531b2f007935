"""gunicorn's settings: python -m gunicorn -c python:crm_router.server.gunicorn_conf

WEB_CONCURRENCY and WEB_THREADS override the numbers of processes and threads.
"""

import gc
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")

from django.conf import settings
from django.db import connections
from django.urls import get_resolver
from gunicorn.glogging import Logger

from crm_router import databases
from crm_router.observability import worker_metrics
from crm_router.server import address

worker_metrics.share_between_workers()  # before any module that creates metrics is imported

from crm_router.server import refusals  # noqa: E402 - creates metrics

gc.disable()  # until everything is loaded (when_ready)
ON_SQLITE = settings.DATABASES["default"]["ENGINE"] == "core.db.sqlite"
for database in settings.DATABASES.values():
    databases.limit_request_time(
        database,
        statement=settings.DATABASE_STATEMENT_TIMEOUT,
        lock=settings.DATABASE_LOCK_TIMEOUT,
        idle_in_transaction=settings.DATABASE_IDLE_TIMEOUT,
        commit=settings.DATABASE_COMMIT_TIMEOUT,
        behind_pooler=settings.DATABASE_POOLER,
    )
CORES = os.cpu_count() or 1

wsgi_app = "crm_router.wsgi"
bind = str(address.address_from_environment())
worker_class = "crm_router.server.clean_stop.CleanStopWorker"  # gthread (ADR 0025)

# SQLite has one writer at a time: threads of one process queue up for it (core/db/sqlite), several processes would
# poll for it. More than two threads bring no speed, but reads do not wait for a slow write.
# PostgreSQL: Python computes on one core per process, and other threads work while one waits for the database and its
# disk (docs/performance.md has the figures). At most as many processes as let two instances into PostgreSQL's usual 100
# connections, one for each thread.
workers = settings.WEB_CONCURRENCY or (1 if ON_SQLITE else min(CORES + 1, 9))
threads = settings.WEB_THREADS or (8 if ON_SQLITE else 4)

# The code is loaded once and shared: a killed worker is replaced in milliseconds, and each needs less memory.
# The cost: SIGHUP restarts the workers with the code already loaded; new code needs a restart of the service.
preload_app = True

if ON_SQLITE:
    from core.db.sqlite import files
    from core.db.sqlite.line import writers

    files.require(str(settings.DATABASES["default"]["NAME"]))  # scripts/serve has created it
    writers.keep_threads_for_readers(threads)


def on_starting(server: Any) -> None:
    """Applies the address check of scripts/serve also when gunicorn is started directly, such as with --bind."""
    for bound in server.cfg.address:  # (host, port, ...), or the path of a socket, which a proxy may publish
        host, port, *_ = bound if isinstance(bound, tuple) else (str(bound), 0)
        if refusal := address.open_to_others(address.Address(host, port)):
            sys.exit(refusal)


def when_ready(server: Any) -> None:
    """Freezes loaded objects, which live as long as the process: looking for garbage among them took a quarter of the
    start and a seventh of the CPU time afterwards, and made each worker copy the shared memory."""
    from crm_router.server import deliverer, foresight, ticker

    get_resolver().url_patterns  # noqa: B018 - otherwise loaded, with all views, in each worker
    build_schemas()
    ticker.turn.prepare()
    foresight.turn.prepare()
    if settings.DELIVER_IN_SERVICE:
        deliverer.turn.prepare()
    gc.collect()
    gc.freeze()
    gc.enable()
    log_start(server)


def build_schemas() -> None:
    from crm_router.views import built_schema

    for language, _ in settings.LANGUAGES:
        built_schema(language)


def pre_fork(server: Any, worker: Any) -> None:
    """Closes connections, so that workers do not inherit them: two processes on one would mix up their responses."""
    connections.close_all()
    worker_metrics.assign_place(worker, server.WORKERS.values())


def pre_request(worker: Any, request: Any) -> None:
    """Remembers the request for this thread, so that a refusal can end its connection."""
    refusals.serving.request = request


def post_fork(server: Any, worker: Any) -> None:
    worker_metrics.take_place(worker)


def child_exit(server: Any, worker: Any) -> None:
    worker_metrics.forget_worker(worker)


# Seconds for which a worker's main loop may hang. This does not limit requests, because they run in threads: they wait
# for the database, which has its own limits (DATABASE_..._TIMEOUT), and for clients, which nginx buffers.
timeout = 30
# Seconds in which a stopping worker (SIGTERM, SIGHUP, recycling) finishes accepted requests.
graceful_timeout = 30
# Longer than the idle time of common proxies and clients (60), so that they close connections first: a server that
# closes an idle connection may do so just when the next request is on its way.
keepalive = 75


def post_worker_init(worker: Any) -> None:
    from crm_router.server import deliverer, foresight, sweeper, ticker
    from notifications import long_polls

    long_polls.limit_waiters(threads)
    sweeper.start_sweeper(settings.SWEEP_SECONDS)
    ticker.start_ticker()
    foresight.start_foresight()
    deliverer.start_deliverer(settings.DELIVER_IN_SERVICE)


def worker_exit(server: Any, worker: Any) -> None:
    from crm_router.server import deliverer, foresight, ticker

    ticker.stop_ticker()
    foresight.stop_foresight()
    deliverer.stop_deliverer()


# Bounds the memory of a slow leak. With a single worker, no process would serve requests during its restart.
max_requests = 20_000 if workers > 1 else 0
max_requests_jitter = max_requests // 5

# Only these proxies may state that a client used HTTPS, and only by this header; others may come from clients.
forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarder_headers = ""  # no header may set the application's path

control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # heartbeats must not wait for a busy disk
loglevel = settings.LOG_LEVEL.lower()
logconfig_dict = settings.LOGGING


class LogWithoutAccess(Logger):  # type: ignore[misc] # gunicorn has no types
    def access(self, *args: Any) -> None:
        """Does nothing: Observe logs requests. gunicorn would collect unused fields, a tenth of the CPU time of a small
        request."""


logger_class = LogWithoutAccess


LET_IN = (
    "not required from this machine (API_KEYS=open). Requests through a proxy or a tunnel may look like requests from "
    "this machine: set API_KEYS=required before you start one"
)
LET_IN_ANYWHERE = (
    "not required from anywhere (API_KEYS_OPEN_ANYWHERE=true): other means, such as a firewall, must control access"
)
WITHOUT_PROXY = "only for this machine and trusted networks; put nginx in front for others (docs/operations.md)"


def log_start(server: Any) -> None:
    database = (
        f"{'SQLite' if ON_SQLITE else 'PostgreSQL'}, {databases.describe_database(settings.DATABASES['default'])}"
    )
    url, manage = address.address_from_environment().url, os.environ.get("MANAGE", "python manage.py")
    open_to = LET_IN_ANYWHERE if settings.API_KEYS_OPEN_ANYWHERE else LET_IN
    if settings.LOG_FORMAT == "json":
        server.log.info("CRM Lead Router is ready on %s with its database: %s", url, database)
        if not settings.TRUSTED_PROXIES:
            server.log.warning("No TRUSTED_PROXIES: %s", WITHOUT_PROXY)
        if settings.API_KEYS == "open":
            server.log.warning("API keys are %s", open_to)
        return
    first_key = f"{manage} create_api_key --management --name NAME"
    print(
        f"CRM Lead Router is ready.\n"
        f"  API documentation   {url}/docs\n"
        f"  Back-office         {url}/admin/\n"
        f"  Database            {database}\n"
        f"  First account there {manage} createsuperuser\n"
        f"  API keys            {open_to if settings.API_KEYS == 'open' else first_key}\n"
        f"  Network             {'behind TRUSTED_PROXIES' if settings.TRUSTED_PROXIES else WITHOUT_PROXY}",
        flush=True,
    )
