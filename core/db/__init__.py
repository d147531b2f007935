"""How the service speaks to its database; it knows none of the service's tables."""

from typing import Any

Answer = tuple[list[tuple[Any, ...]], int]  # rows, and how many were read or changed
