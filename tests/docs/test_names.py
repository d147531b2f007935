"""What the documents name is there, under this name."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from core.api.schema import CONFLICTS
from crm_router.urls import api
from crm_router.views import built_schema
from routing.models import Contact
from tests.docs import documents

API, ROUTING = documents.DOCS / "api.md", documents.DOCS / "routing.md"
MADE_BY_THE_GUIDE = {"secrets/"}
PLACES = [documents.ROOT / "requirements", documents.ROOT / "deploy"]
FILES = {".py", ".md", ".txt", ".in", ".toml", ".yaml", ".sh", ".ini"}

pytestmark = pytest.mark.once
each_document = pytest.mark.parametrize("file", documents.ALL, ids=lambda file: file.name)


def is_path(word):
    """A folder ends in a slash, a file in a known suffix; scripts have none."""
    whole = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word)
    return whole and (word.endswith("/") or Path(word).suffix in FILES or word.startswith(("scripts/", ".ci/")))


def exists(word):
    """By its path in the project; a name without a folder may be that of a document, a lock or a compose file."""
    folders = [documents.ROOT] if "/" in word else [documents.ROOT, documents.DOCS, *PLACES]
    return word in MADE_BY_THE_GUIDE or any((folder / word).exists() for folder in folders)


@each_document
def test_files_and_folders_exist(file):
    words = [word for text in documents.in_backticks(file) + documents.commands(file) for word in text.split()]
    assert [word for word in words if is_path(word) and not exists(word)] == []


@each_document
def test_links_lead_somewhere(file):
    for link in documents.links(file):
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", documents.prose(target), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, link


def test_the_readmes_lead_to_every_document():
    expected = {file for file in documents.DOCS.glob("*.md") if file != documents.RUSSIAN}
    for file in documents.READMES:
        linked = {(file.parent / link.partition("#")[0]).resolve() for link in documents.links(file)}
        assert expected <= linked


@each_document
def test_management_commands_exist(file):
    assert set(re.findall(r"manage\.py ([a-z]\w+)", file.read_text())) <= set(get_commands())


def test_every_call_is_explained_and_no_other():
    """By its path; the words of a parameter do not matter."""
    rows = re.findall(r"^\| `((?:GET|POST|PATCH|PUT|DELETE) /\S+)`", documents.section(API, "## All calls"), re.M)
    explained = {re.sub(r"\{\w+\}", "{}", row.split()[1]) for row in rows} - {"/health", "/health/ready", "/docs"}
    existing = {"/" + re.sub(r"<[^>]+>", "{}", str(route.pattern)) for route in api}
    assert explained == existing


def test_every_list_in_pages_is_named():
    """By its path; the words of a parameter do not matter."""
    named = re.findall(r"`GET (/\S+)`", documents.section(API, "## Pages").partition("\n### ")[0])
    calls = json.loads(built_schema("en"))["paths"]
    paged = [path for path, ways in calls.items() if "/Paginated" in str(ways.get("get", {}).get("responses"))]
    assert {re.sub(r"{\w+}", "{}", f"/api/v1{path}") for path in named} == {re.sub(r"{\w+}", "{}", it) for it in paged}


def test_every_reason_for_waiting_is_explained():
    explained = re.findall(r"^\| `(\w+)` \|", documents.section(ROUTING, "### Reasons for waiting"), re.M)
    assert explained == Contact.Waiting.values


def test_every_conflict_is_explained():
    explained = re.findall(r"^\| `(\w+)` \|", documents.section(API, "### Conflicts"), re.M)
    assert set(explained) == {code for codes in CONFLICTS.values() for code in codes}


def test_no_document_holds_both_sides_of_a_merge():
    broken = [file.name for file in documents.ALL if re.search("^(<{7}|={7}|>{7})", file.read_text(), re.M)]
    assert broken == []
