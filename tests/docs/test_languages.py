"""Both READMEs say the same: same sections, same code, same tables, in the same order."""

import re

import pytest

from tests.docs import readme


def levels(file):
    return [len(marks) for marks in re.findall(r"^(#+) ", readme.prose(file), re.M)]


def code(file):
    """Drawings speak the reader's language: of them only that there is one."""
    return [(block.language, block.text if block.language != "text" else "") for block in readme.blocks(file)]


def rows(file):
    """What the tables explain: their first cells, where those are code."""
    return re.findall(r"^\| (`[^|]+`)", readme.prose(file), re.M)


@pytest.mark.parametrize("part", [levels, code, rows])
def test_both_languages_have_the_same_parts_in_the_same_order(part):
    english, russian = (part(file) for file in readme.READMES)
    assert english
    assert english == russian


def test_each_language_leads_to_the_other():
    assert "(README.ru.md)" in readme.ENGLISH.read_text()
    assert "(README.md)" in readme.RUSSIAN.read_text()
