"""docs/licences.md is what scripts/support/licences.py would write, on the oldest Python, which installs the most."""

import re
import sys

import pytest

from tests.docs.readme import ROOT

sys.path.insert(0, str(ROOT / "scripts/support"))

import licences

pytestmark = pytest.mark.once

LISTED = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", licences.PAGE.read_text(), re.M))


def test_every_package_of_the_lock_is_listed_and_no_other():
    assert [name for name in LISTED if name != "package"] == licences.packages()


@pytest.mark.parametrize("package", [name for name in LISTED if name not in ("package", "typing-extensions")])
def test_its_licence_is_what_it_says_itself(package):
    assert LISTED[package] == licences.licence(package) != "not said"
