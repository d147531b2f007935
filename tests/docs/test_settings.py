"""The settings tables name every setting that the code reads, and no other."""

import re

import pytest

from tests.docs import documents

IN_SETTINGS = r'\benv\.\w+\(\s*"([A-Z_]+)"'
IN_PYTHON = r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"'
NO_SETTINGS = {"OTEL_TRACES_SAMPLER", "WEEK_HOURS"}  # OpenTelemetry and a test read them themselves
IN_SHELL = r"\$\{([A-Z_]+):-"

pytestmark = pytest.mark.once


def read_by(pattern, *globs):
    """Names that the files read from the environment."""
    files = [file for glob in globs for file in documents.ROOT.glob(glob) if file.is_file()]
    return {name for file in files for name in re.findall(pattern, file.read_text().replace("'", '"'))}


def test_the_tables_name_every_setting_and_no_other():
    python = read_by(IN_PYTHON, "crm_router/**/*.py", "scripts/**/*.py")
    shell = read_by(IN_SHELL, "scripts/*", "scripts/support/*.sh")
    assert set(documents.settings()) == read_by(IN_SETTINGS, "crm_router/settings.py") | python | shell


def test_a_star_marks_what_a_file_may_hold():
    starred = {name for name, star in documents.settings().items() if star}
    assert starred == read_by(IN_SETTINGS, "crm_router/settings.py")


@pytest.mark.parametrize("file", [documents.ENGLISH, *documents.DOCS.glob("*.md")], ids=lambda file: file.name)
def test_settings_that_a_document_names_exist(file):
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", documents.prose(file)))
    assert named - NO_SETTINGS <= set(documents.settings())
