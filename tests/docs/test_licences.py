"""docs/licences.md is what scripts/support/licences.py would write, on the oldest Python, which installs the most."""

import re

import licences
import pytest

from tests.docs.documents import ROOT

pytestmark = pytest.mark.once

ROWS = [row for row in re.findall(r"^\| ([\w.-]+) \| (.+) \|$", licences.PAGE.read_text(), re.M) if row[0] != "package"]
LISTED = dict(ROWS)


def test_every_package_of_the_locks_is_listed_and_no_other():
    assert [name for name, _ in ROWS] == [name for lock in licences.LOCKS for name in licences.packages(lock)]


def test_every_lock_of_what_the_service_may_install_is_asked():
    locks = {f"requirements/{file.name}" for file in (ROOT / "requirements").glob("*.txt")}
    assert set(licences.LOCKS) == {"requirements.txt", *locks} - {"requirements/dev.txt"}


@pytest.mark.parametrize("package", [name for name in LISTED if name != "typing-extensions"])
def test_its_licence_is_what_it_says_itself(package):
    assert LISTED[package] == licences.licence(package) != "not said"
