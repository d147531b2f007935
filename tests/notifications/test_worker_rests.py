"""A loop that has had nothing to do for a while looks for work less often, until there is some."""

from notifications.worker import AWAKE, Loop, Worker

SECONDS, RESTING = 0.25, 1.0


def worker_of(*reports):
    left = list(reports)
    worker = Worker([Loop("send", lambda: left.pop(0), SECONDS, resting=RESTING)])
    return worker, worker.loops[0]


def idle_for(worker, seconds):
    worker.done_at["send"] -= seconds


def test_it_looks_often_after_work():
    worker, loop = worker_of("done", "")
    assert worker.run_round(loop) == 0
    assert worker.run_round(loop) == SECONDS


def test_it_rests_when_there_was_nothing_for_a_while():
    worker, loop = worker_of("")
    idle_for(worker, AWAKE)
    assert worker.run_round(loop) == RESTING


def test_work_ends_the_rest():
    worker, loop = worker_of("done", "")
    idle_for(worker, AWAKE)
    worker.run_round(loop)
    assert worker.run_round(loop) == SECONDS
