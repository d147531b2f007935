"""What the READMEs name is there, under this name."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from core.api.schema import CONFLICTS
from routing.models import Contact
from tests.docs import readme

FILES = {".py", ".md", ".txt", ".in", ".toml", ".yaml", ".sh", ".ini"}

read_me_twice = pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)


def is_path(word):
    """A folder ends in a slash, a file in a known suffix; scripts have none."""
    whole = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word)
    return whole and (word.endswith("/") or Path(word).suffix in FILES or word.startswith(("scripts/", ".ci/")))


@read_me_twice
def test_files_and_folders_exist(file):
    words = [word for text in readme.in_backticks(file) + readme.commands(file) for word in text.split()]
    links = re.findall(r"\]\((?!http)([^)#]+)\)", readme.prose(file))
    named = {word for word in words if is_path(word)} | set(links)
    assert {"scripts/serve", "docs/adr/", "LICENSE"} <= named
    assert [name for name in sorted(named) if not (readme.ROOT / name).exists()] == []


@read_me_twice
def test_management_commands_exist(file):
    named = set(re.findall(r"manage\.py ([a-z]\w+)", file.read_text()))
    assert "check_routing" in named
    assert named <= set(get_commands())


@read_me_twice
def test_every_reason_for_waiting_is_explained(file):
    explained = re.findall(r"^\| `(\w+)` \|", readme.prose(file), re.M)
    assert set(Contact.Waiting.values) <= set(explained)


@read_me_twice
def test_every_conflict_is_named(file):
    row = next(line for line in readme.prose(file).splitlines() if line.startswith("| 409 |"))
    assert set(re.findall(r"`(\w+)`", row)) == {code for codes in CONFLICTS.values() for code in codes}


def test_no_document_holds_both_sides_of_a_merge():
    documents = [*readme.ROOT.glob("*.md"), *(readme.ROOT / "docs").rglob("*.md"), *readme.ROOT.glob("*/**/*.md")]
    assert readme.ROOT / "CHANGELOG.md" in documents
    assert [file.name for file in documents if re.search("^(<{7}|={7}|>{7})", file.read_text(), re.M)] == []
