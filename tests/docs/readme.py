"""The READMEs, taken apart: what their tests have in common."""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ENGLISH, RUSSIAN = READMES = [ROOT / "README.md", ROOT / "README.ru.md"]


class Block(NamedTuple):
    language: str
    text: str


def blocks(readme: Path) -> list[Block]:
    """The code blocks, in order."""
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", readme.read_text(), re.M | re.S)]


def prose(readme: Path) -> str:
    """Everything but the code blocks."""
    return re.sub(r"^```.*?^```$", "", readme.read_text(), flags=re.M | re.S)


def in_backticks(readme: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(readme))


def examples(readme: Path) -> list[tuple[str, str]]:
    """Each call with curl, and the block below it: the answer."""
    return [(call.text, answer.text) for call, answer in pairwise(blocks(readme)) if is_call(call)]


def commands(readme: Path) -> list[str]:
    """Every shell command in the code blocks, except the calls with curl."""
    shell = [block for block in blocks(readme) if block.language == "bash" and not is_call(block)]
    return [line for block in shell for line in block.text.splitlines()]


def is_call(block: Block) -> bool:
    return block.text.startswith("curl ")
