"""A setting may come from a file, and nothing about that is left to guessing."""

import environs
import pytest

from crm_router.environment import Environment


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    return tmp_path / "token"


def read():
    env = Environment(eager=False)
    value = env.str("TOKEN", "default")
    env.seal()
    return value


def refusal():
    with pytest.raises(environs.EnvValidationError) as caught:
        read()
    assert isinstance(caught.value.error_messages, dict)
    [said] = caught.value.error_messages["TOKEN"]
    return said


def test_the_value_is_what_the_file_holds(file):
    file.write_text(" 0123456789abcdef \n")
    assert read() == "0123456789abcdef"


def test_a_file_that_is_missing_is_an_error(file):
    assert refusal() == f"{file} cannot be read: No such file or directory."


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_that_is_empty_is_an_error(file, content):
    file.write_text(content)
    assert refusal() == f"{file} is empty."


def test_a_file_that_is_no_text_is_an_error(file):
    file.write_bytes(b"\xff")
    assert refusal() == f"{file} cannot be read: not a text file."


def test_a_value_beside_the_file_is_an_error(file, monkeypatch):
    file.write_text("from the file")
    monkeypatch.setenv("TOKEN", "from the environment")
    assert refusal() == "TOKEN_FILE is set as well; set only one of them."


def test_an_empty_value_beside_the_file_is_none(file, monkeypatch):
    file.write_text("from the file")
    monkeypatch.setenv("TOKEN", "")
    assert read() == "from the file"


def test_without_a_file_it_is_the_environment_that_counts(monkeypatch):
    assert read() == "default"
    monkeypatch.setenv("TOKEN", "from the environment")
    assert read() == "from the environment"
