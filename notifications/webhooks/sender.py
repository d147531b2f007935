"""Sends due deliveries: claims some of each webhook, sends them in threads, and notes the results together.

Only the thread that runs the rounds uses the database. The others send. A webhook whose address is slow or dead holds
one of them, so that the others are free for other webhooks.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from django.utils import timezone

from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import claims, rendering, results, sending, signing
from notifications.webhooks.answers import Answer
from notifications.webhooks.results import Result

log = logging.getLogger(__name__)

THREADS = 32
RESERVED = 8  # of these, for webhooks that have none
PER_WEBHOOK = 8
AHEAD = 256  # claimed for one webhook
CLAIM_EVERY = 0.2  # seconds
SAVE_EVERY = 0.1
CORRECT_EVERY = 10.0
TURN = 1.0  # seconds for which a thread stays with one webhook
SEND_WITHIN = claims.LEASE.total_seconds() - 2 * (sending.CONNECT_TIMEOUT + sending.TIMEOUT)
USER_AGENT = "CRM-Lead-Router"


@dataclass(frozen=True, slots=True)
class Job:
    """A leased delivery with all that its thread needs. `send_before`: by the monotonic clock; then the lease ends."""

    delivery_id: int
    webhook_id: int
    message_id: str
    url: str
    body: str
    secrets: list[str]
    send_before: float


@dataclass(slots=True)
class Lane:
    """The jobs of one webhook. It begins with one thread and gets more with each success, until something fails."""

    jobs: deque[Job] = field(default_factory=deque)
    running: int = 0
    threads: int = 1
    has_failed: bool = False  # the last time
    may_have_more: bool = False  # due deliveries, because the last claim was full

    def take_jobs(self) -> Iterator[Job]:
        """Those that no thread has begun. A thread takes them one by one at the same time."""
        while True:
            try:
                yield self.jobs.popleft()
            except IndexError:
                return

    def wants(self) -> int:
        """How many deliveries to claim."""
        if self.has_failed:
            return 0 if self.jobs or self.running else 1
        return AHEAD - len(self.jobs)


@dataclass(frozen=True, slots=True)
class Released:
    """A thread has no more to do for this lane."""

    lane: Lane


class Sender:
    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self.lanes: dict[int, Lane] = {}
        self.finished: SimpleQueue[Result | Released] = SimpleQueue()
        self.unsaved: list[Result] = []
        self.saved_at = self.claimed_at = self.corrected_at = 0.0

    def run_round(self) -> str:
        """Returns empty if there is nothing left to do now. A failed round loses nothing: the next one goes on."""
        self.collect(wait=SAVE_EVERY if self.running else 0)
        if self.unsaved and (not self.running or time.monotonic() - self.saved_at >= SAVE_EVERY):
            self.save()
        if self.is_time_to_claim():
            self.claim()
        self.start_threads()
        return f"Sending {self.running} deliveries." if self.running or self.unsaved else ""

    def finish(self) -> str:
        """Gives back what was not begun, waits for the rest and notes its results."""
        release_jobs([job for lane in self.lanes.values() for job in lane.take_jobs()])
        self.pool.shutdown()
        self.collect(wait=0)
        if self.unsaved:
            self.save()
        return ""

    @property
    def running(self) -> int:
        return sum(lane.running for lane in self.lanes.values())

    def collect(self, *, wait: float) -> None:
        """Takes over what the threads have finished, and waits for the first of it."""
        try:
            while True:
                found = self.finished.get(timeout=wait) if wait else self.finished.get_nowait()
                wait = 0
                if isinstance(found, Released):
                    found.lane.running -= 1
                else:
                    self.unsaved.append(found)
                    lane = self.lanes[found.webhook_id]
                    lane.has_failed = not found.answer.is_accepted
                    lane.threads = 1 if lane.has_failed else min(PER_WEBHOOK, lane.threads + 1)
        except Empty:
            pass

    def save(self) -> None:
        results.note_results(self.unsaved)
        self.unsaved = []
        self.saved_at = time.monotonic()
        for lane in self.lanes.values():
            if lane.has_failed and lane.jobs:
                release_jobs(lane.take_jobs())

    def is_time_to_claim(self) -> bool:
        is_low = any(lane.may_have_more and len(lane.jobs) < PER_WEBHOOK for lane in self.lanes.values())
        return is_low or not self.running or time.monotonic() - self.claimed_at >= CLAIM_EVERY

    def claim(self) -> None:
        """Some of each webhook that has due deliveries, so that none waits for the backlog of another."""
        self.claimed_at = time.monotonic()
        if self.claimed_at - self.corrected_at >= CORRECT_EVERY:
            claims.correct_moments()
            self.corrected_at = self.claimed_at
        webhooks = {webhook.pk: webhook for webhook in Webhook.objects.with_due_deliveries().order_by("pk")}
        self.forget_idle_lanes(webhooks)
        claimed: list[Delivery] = []
        for webhook in webhooks.values():
            lane = self.lanes.setdefault(webhook.pk, Lane())
            lane.has_failed = lane.has_failed or webhook.failures > 0
            if count := lane.wants():
                found = claims.claim_deliveries(webhook, count=count)
                lane.may_have_more = len(found) == count
                claimed += found
        if claimed:
            self.add_jobs(claimed, webhooks)

    def forget_idle_lanes(self, webhooks: Iterable[int]) -> None:
        for webhook_id, lane in list(self.lanes.items()):
            lane.may_have_more = False
            if webhook_id not in webhooks and not lane.running and not lane.jobs:
                del self.lanes[webhook_id]

    def add_jobs(self, claimed: list[Delivery], webhooks: dict[int, Webhook]) -> None:
        bodies = rendering.render_bodies(claimed, webhooks)
        for delivery in claimed:
            webhook = webhooks[delivery.webhook_id]
            if delivery.pk in bodies:
                job = Job(
                    delivery_id=delivery.pk,
                    webhook_id=webhook.pk,
                    message_id=delivery.message_id,
                    url=webhook.url,
                    body=bodies[delivery.pk],
                    secrets=webhook.secrets(),
                    send_before=self.claimed_at + SEND_WITHIN,
                )
                self.lanes[webhook.pk].jobs.append(job)
            else:
                missing = Answer(None, Attempt.Error.NO_EVENT, "", 0)
                self.unsaved.append(Result(delivery.pk, webhook.pk, webhook.url, timezone.now(), missing))

    def start_threads(self) -> None:
        """One for each webhook in turn, while threads are free."""
        free = THREADS - self.running
        while free > 0:
            ready = [lane for lane in self.lanes.values() if lane.running < min(lane.threads, len(lane.jobs) or 0)]
            ready = ready if free > RESERVED else [lane for lane in ready if not lane.running]
            for lane in ready[:free]:
                lane.running += 1
                self.pool.submit(self.run_lane, lane)
                free -= 1
            if not ready:
                return

    def run_lane(self, lane: Lane) -> None:
        """Runs in a thread of the pool: sends jobs of the lane, for a moment or until something fails."""
        stop_at = time.monotonic() + TURN
        for job in lane.take_jobs():
            if (
                time.monotonic() < job.send_before
            ):  # otherwise its lease is about to end, and another worker may have it
                result = send_job(job)
                self.finished.put(result)
                lane.has_failed = lane.has_failed or not result.answer.is_accepted
            if lane.has_failed or time.monotonic() >= stop_at:
                break
        self.finished.put(Released(lane))


def send_job(job: Job) -> Result:
    at = timezone.now()
    try:
        answer = send_message(job.url, message_id=job.message_id, body=job.body, secrets=job.secrets)
    except Exception:
        log.exception("A delivery could not be sent")
        answer = Answer(None, Attempt.Error.BROKEN_ANSWER, "", 0)
    return Result(job.delivery_id, job.webhook_id, job.url, at, answer)


def release_jobs(jobs: Iterable[Job]) -> None:
    """Gives back what was not begun, except what another worker may have leased since."""
    claims.release_claims([job.delivery_id for job in jobs if time.monotonic() < job.send_before])


def send_message(url: str, *, message_id: str, body: str, secrets: list[str]) -> Answer:
    """One attempt, signed as of now."""
    headers = signing.sign_body(body, message_id=message_id, at=timezone.now(), keys=secrets)
    headers |= {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    return sending.post(url, body=body.encode(), headers=headers)
