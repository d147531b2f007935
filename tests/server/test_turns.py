"""Two processes, of which each does one kind of work and waits for the other's turn at the other kind."""

import subprocess
import sys

CROSSED = """
import time
from multiprocessing import get_context
from crm_router.server.turns import Turn

fork = get_context("fork")
sweeping, sending = Turn(), Turn()
sweeping.prepare(), sending.prepare()

def first(holds, may_wait, waits):
    sweeping.start(holds.set, name="sweep")
    may_wait.wait()
    sending.start(lambda: None, name="send")
    time.sleep(0.5)  # until the thread waits in the system, which nothing tells
    waits.set()
    time.sleep(60)

def second(holds, may_wait, does_both):
    sending.start(holds.set, name="send")
    may_wait.wait()
    sweeping.start(does_both.set, name="sweep")
    time.sleep(60)

sweeps, sends, crossed, waits, does_both = (fork.Event() for _ in range(5))
one = fork.Process(target=first, args=(sweeps, sends, waits), daemon=True)
one.start()
sweeps.wait()
other = fork.Process(target=second, args=(sends, waits, does_both), daemon=True)
other.start()
waits.wait()
print("both wait", does_both.wait(1))
one.kill()
print("the other does both", does_both.wait(30))
"""


def test_who_waits_for_a_process_that_waits_for_it_goes_on_when_that_one_ends():
    done = subprocess.run([sys.executable, "-c", CROSSED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "both wait False\nthe other does both True\n", done.stderr
    assert done.stderr == ""
