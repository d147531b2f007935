"""The documents, taken apart: what their tests have in common."""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ENGLISH, RUSSIAN = READMES = [ROOT / "README.md", DOCS / "README.ru.md"]
ALL = [ENGLISH, *sorted(DOCS.rglob("*.md"))]


class Block(NamedTuple):
    language: str
    text: str


def blocks(document: Path) -> list[Block]:
    """The code blocks, in order."""
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", document.read_text(), re.M | re.S)]


def prose(document: Path) -> str:
    """Everything but the code blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)


def section(document: Path, heading: str) -> str:
    """What stands below this heading, such as "## Metrics", until the next of the same or a higher level."""
    _, found, below = document.read_text().partition(f"\n{heading}\n")
    assert found, f"{document.name} has no {heading}"
    level = len(heading.split()[0])
    return re.split(rf"^#{{1,{level}}} ", below, maxsplit=1, flags=re.M)[0]


def in_backticks(document: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(document))


def links(document: Path) -> list[str]:
    """What the document refers to within the project, relative to its folder."""
    return re.findall(r"\]\((?!https?:)([^)]+)\)", prose(document))


def examples(document: Path) -> list[tuple[str, str]]:
    """Each call with curl, and the block below it: the answer."""
    return [(call.text, answer.text) for call, answer in pairwise(blocks(document)) if is_call(call)]


def commands(document: Path) -> list[str]:
    """Every shell command in the code blocks, except the calls with curl."""
    shell = [block for block in blocks(document) if block.language == "bash" and not is_call(block)]
    return [line for block in shell for line in block.text.splitlines()]


def settings(document: Path = DOCS / "settings.md") -> dict[str, bool]:
    """The rows of its tables: name to whether a star stands beside it."""
    return {name: bool(star) for name, star in re.findall(r"^\| `([A-Z_]+)`( \*)? \|", prose(document), re.M)}


def programs(document: Path) -> list[str]:
    """In Python."""
    return [block.text for block in blocks(document) if block.language == "python"]


def is_call(block: Block) -> bool:
    return block.text.startswith("curl ")
