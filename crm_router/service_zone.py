"""The time zone of the service, if TIME_ZONE does not say: chosen at the first start, and stored beside the data."""

import os
from collections.abc import Collection
from pathlib import Path

ZONE_FILES = "/zoneinfo/"  # in what /etc/localtime leads to


def read_zone(path: Path, zones: Collection[str]) -> str:
    """The stored zone; empty if none is stored. Raises ValueError if it is not one of `zones`."""
    try:
        name = path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    if name not in zones:
        raise ValueError(f"{path} does not hold a valid time zone (expected Europe/Moscow). Correct or delete it.")
    return name


def zone_of_machine(zones: Collection[str], localtime: Path = Path("/etc/localtime")) -> str:
    """What this machine is set to; UTC if it does not say."""
    try:
        _before, _folder, name = os.path.realpath(localtime).rpartition(ZONE_FILES)
    except OSError:
        name = ""
    return name if name in zones else "UTC"


def find_zone(typed: str, zones: Collection[str]) -> str:
    """The zone that a person means who types its name or its city in any case; empty if that is none, or several."""
    wanted = typed.strip().replace(" ", "_").lower()
    found = [name for name in zones if name.lower() == wanted or name.lower().endswith(f"/{wanted}")]
    exact = [name for name in found if name.lower() == wanted]
    return exact[0] if exact else found[0] if len(found) == 1 else ""
