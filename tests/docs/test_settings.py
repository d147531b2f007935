"""The settings tables name every setting that the code reads, and no other."""

import re

import pytest

from tests.docs import readme

IN_SETTINGS = r'\benv\.\w+\("([A-Z_]+)"'
IN_PYTHON = r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"'
IN_SHELL = r"\$\{([A-Z_]+):-"

read_me_twice = pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)


def read_by(pattern, *globs):
    """Names that the files read from the environment."""
    files = [file for glob in globs for file in readme.ROOT.glob(glob) if file.is_file()]
    return {name for file in files for name in re.findall(pattern, file.read_text().replace("'", '"'))}


def rows(file):
    """Name to whether the star stands beside it."""
    return dict(re.findall(r"^\| `([A-Z_]+)`( \*)? \|", readme.prose(file), re.M))


@read_me_twice
def test_the_tables_name_every_setting_and_no_other(file):
    python = read_by(IN_PYTHON, "crm_router/**/*.py", "gunicorn.conf.py", "scripts/**/*.py")
    shell = read_by(IN_SHELL, "scripts/*", "scripts/support/*.sh")
    assert set(rows(file)) == read_by(IN_SETTINGS, "crm_router/settings.py") | python | shell


@read_me_twice
def test_a_star_marks_what_a_file_may_hold(file):
    starred = {name for name, star in rows(file).items() if star}
    assert starred == read_by(IN_SETTINGS, "crm_router/settings.py")
