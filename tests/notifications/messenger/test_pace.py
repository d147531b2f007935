"""Thirty messages a second in all, one a second in each chat."""

import pytest

from notifications.messenger.pace import Pace


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock, clock.sleep)


def test_a_chat_gets_one_message_a_second(pace, clock):
    pace.wait_for_turn("anna")
    pace.wait_for_turn("anna")
    assert clock.now == 1.0
    assert not pace.is_ready("anna")


def test_all_chats_together_get_thirty_a_second(pace, clock):
    for number in range(61):
        pace.wait_for_turn(f"chat {number}")
    assert clock.now == pytest.approx(2.0)


def test_a_chat_that_waits_does_not_hold_up_another(pace, clock):
    pace.wait_for_turn("anna")
    assert pace.is_ready("boris")
