"""The service's settings, with one more endpoint to measure against."""

from crm_router.settings import *  # noqa: F403

ROOT_URLCONF = "bench_urls"
