"""Rebuilds loads, queues, shares and settings from the history of contacts and the records of changes alone, and
compares them with the tables that the service works with. Reads only; docs/operations.md says what it cannot rebuild.
"""

from routing.replay.comparison import Replay, replay
from routing.replay.differences import Difference

__all__ = ["Difference", "Replay", "replay"]
