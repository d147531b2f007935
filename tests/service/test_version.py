"""One version, wherever it is written."""

import re
import tomllib

import pytest
from django.conf import settings

from crm_router import VERSION
from tests.service.dockerfile import read
from tests.service.running import PROJECT

pytestmark = pytest.mark.once


def test_the_package_the_schema_the_image_and_the_changelog_have_the_same_version() -> None:
    [label] = re.findall(r'org\.opencontainers\.image\.version="([^"]+)"', read().all("LABEL")[0])
    [newest, *_] = re.findall(r"^## \[(\S+)\]", (PROJECT / "docs/CHANGELOG.md").read_text(), re.M)
    package = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert [package, settings.SPECTACULAR_SETTINGS["VERSION"], label, newest] == [VERSION] * 4
