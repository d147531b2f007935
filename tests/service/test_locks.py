"""The locks say all that pip asks for. What they leave out pip looks up, and refuses, because it has no hash."""

import re
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement

from tests.service.running import PROJECT

pytestmark = pytest.mark.once

LOCK = (PROJECT / "requirements/dev.txt").read_text()
LOCKED = {name: set(extras.split(",")) for name, extras in re.findall(r"(?m)^([\w.-]+)(?:\[([\w,-]*)\])?==", LOCK)}


def test_each_extra_that_a_package_asks_for_is_in_the_lock():
    """Without it a lock breaks by itself, on the day when there is a newer release of what has the extra."""
    asked = [
        Requirement(line)
        for package in distributions()
        if package.name.lower() in LOCKED
        for line in package.requires or ()
        if "extra ==" not in line
    ]
    wanted = {(one.name, extra) for one in asked for extra in one.extras if one.marker is None or one.marker.evaluate()}
    assert ("coverage", "toml") in wanted
    assert not {(name, extra) for name, extra in wanted if extra not in LOCKED[name.lower()]}
