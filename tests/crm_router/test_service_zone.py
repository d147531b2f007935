"""The time zone of the service: asked for once at a terminal, and kept beside the data."""

import builtins
from pathlib import Path

import pytest
from django.core.management import call_command

from crm_router import service_zone

ZONES = {"UTC", "Europe/Moscow", "Asia/Yekaterinburg", "America/Indiana/Knox", "America/Knox", "Etc/UTC"}


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    return settings.DATA_DIR


def answer(monkeypatch, *typed):
    """What somebody types; after that, the terminal is closed."""
    lines = iter(typed)

    def read(prompt):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(builtins, "input", read)


def stored(data_dir):
    return service_zone.read_zone(data_dir / "time_zone", ZONES)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Europe/Moscow", "Europe/Moscow"),
        ("moscow", "Europe/Moscow"),
        (" utc ", "UTC"),
        ("knox", ""),
        ("Mars", ""),
        ("", ""),
    ],
)
def test_a_zone_is_meant_by_its_name_or_its_city(typed, meant):
    assert service_zone.find_zone(typed, ZONES) == meant


def test_what_is_chosen_is_stored_after_another_try(data_dir, monkeypatch, capsys):
    answer(monkeypatch, "nowhere", "Moscow")
    call_command("choose_time_zone")
    assert stored(data_dir) == "Europe/Moscow"
    assert "no such time zone" in capsys.readouterr().out


def test_enter_takes_what_the_machine_says(data_dir, monkeypatch):
    monkeypatch.setattr(service_zone, "zone_of_machine", lambda zones: "Asia/Yekaterinburg")
    answer(monkeypatch, "")
    call_command("choose_time_zone")
    assert stored(data_dir) == "Asia/Yekaterinburg"


def test_it_asks_once(data_dir, monkeypatch):
    answer(monkeypatch, "Moscow")
    call_command("choose_time_zone")
    answer(monkeypatch, "Yekaterinburg")
    call_command("choose_time_zone")
    assert stored(data_dir) == "Europe/Moscow"


def test_a_closed_terminal_chooses_nothing(data_dir, monkeypatch):
    answer(monkeypatch)
    call_command("choose_time_zone")
    assert stored(data_dir) == ""


def test_a_stored_zone_that_does_not_exist_is_named(tmp_path):
    (tmp_path / "time_zone").write_text("Mars/Base")
    with pytest.raises(ValueError, match="does not hold a valid time zone"):
        service_zone.read_zone(tmp_path / "time_zone", ZONES)


def test_the_machine_says_it_by_a_link(tmp_path):
    (link := tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Yekaterinburg")
    assert service_zone.zone_of_machine(ZONES, link) == "Asia/Yekaterinburg"
    assert service_zone.zone_of_machine(ZONES, Path(tmp_path / "none")) == "UTC"
