"""A connection of SQLite notices that its files were replaced or deleted, and opens nothing that would mix two."""

import sqlite3
from contextlib import closing
from threading import Thread

import pytest
from django.db import Error, connection, connections, transaction
from django.db.backends.sqlite3 import base

from core.db.sqlite import files
from core.db.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.once


@pytest.fixture
def file(tmp_path):
    return make_database(tmp_path / "db.sqlite3", "first")


def make_database(path, name):
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"CREATE TABLE person (name); INSERT INTO person VALUES ('{name}')")
    return path


@pytest.fixture
def opened(file, django_db_setup, django_db_blocker):
    """A connection of its own to the file, used before."""
    wrapper = DatabaseWrapper(connection.settings_dict | {"NAME": str(file)}, "opened")
    connections["opened"] = wrapper
    with django_db_blocker.unblock():
        assert names(wrapper) == ["first"]
        yield wrapper
        wrapper.close()
    del connections["opened"]
    files.close_unrelated((None, None, None))


def names(wrapper):
    """As a request begins: the connection is checked before its first statement."""
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        return [name for (name,) in cursor.execute("SELECT name FROM person")]


def write(wrapper):
    with transaction.atomic(using="opened"), wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO person VALUES ('second')")


def move_away(file, *suffixes):
    for suffix in suffixes:
        file.with_name(f"{file.name}{suffix}").rename(file.with_name(f"old{suffix}"))


def test_what_is_there_is_used_on(opened):
    write(opened)
    kept = opened.connection
    assert names(opened) == ["first", "second"]
    assert opened.connection is kept


@pytest.mark.parametrize("gone", [("",), ("-wal",), ("-shm",), ("", "-wal", "-shm")])
def test_nothing_is_committed_to_a_file_that_is_gone(opened, file, gone):
    move_away(file, *gone)
    with pytest.raises(Error, match="replaced or deleted"):
        write(opened)


@pytest.mark.parametrize("gone", [("",), ("", "-wal", "-shm")])
def test_no_empty_database_takes_the_place_of_a_deleted_one(opened, file, gone):
    move_away(file, *gone)
    for _ in range(2):
        with pytest.raises(Error, match="is missing"):
            names(opened)
    assert not file.exists()


@pytest.fixture
def once_it_is_checked(monkeypatch):
    """Has a step done after the files were checked and before SQLite opens them."""
    opens = base.DatabaseWrapper.get_new_connection

    def do(step):
        def open_afterwards(wrapper, params):
            step()
            return opens(wrapper, params)

        monkeypatch.setattr(base.DatabaseWrapper, "get_new_connection", open_afterwards)

    return do


def test_no_empty_database_takes_the_place_of_one_that_is_taken_away_while_it_is_opened(
    opened, file, once_it_is_checked
):
    once_it_is_checked(lambda: move_away(file, "", "-wal", "-shm"))
    with pytest.raises(Error, match="unable to open database file"):
        DatabaseWrapper(opened.settings_dict, "another").ensure_connection()
    assert not file.exists()


def test_a_database_that_is_replaced_while_it_is_opened_is_opened_again(opened, file, once_it_is_checked):
    def replace():
        if not file.with_name("old").exists():
            move_away(file, "", "-wal", "-shm")
            make_database(file, "other")

    once_it_is_checked(replace)
    another = DatabaseWrapper(opened.settings_dict, "another")
    with pytest.raises(Error, match="was replaced while it was opened"):
        another.ensure_connection()
    assert names(another) == ["other"]
    another.close()


def test_a_log_that_another_thread_creates_meanwhile_does_not_seem_removed(
    file, monkeypatch, django_db_setup, django_db_blocker
):
    """When a process begins, several threads open the database first."""
    one, other = (DatabaseWrapper(connection.settings_dict | {"NAME": str(file)}, name) for name in ("one", "other"))
    other.inc_thread_sharing()
    opener = Thread(target=lambda: other.ensure_connection())  # pytest-django replaces the method below
    look = files.files_at

    def look_before_the_other_opens(path):
        found = look(path)
        if opener.ident is None:
            opener.start()
            opener.join(0.5)  # if it may not go on before this look is judged, it does later
        return found

    monkeypatch.setattr(files, "files_at", look_before_the_other_opens)
    with django_db_blocker.unblock():
        one.ensure_connection()
        opener.join()
        assert names(one) == names(other) == ["first"]
        one.close()
        other.close()


def test_another_database_with_all_its_files_is_opened(opened, file):
    move_away(file, "", "-wal", "-shm")
    make_database(file, "other")
    assert names(opened) == ["other"]
    write(opened)


def test_a_thread_that_opens_it_first_does_not_mix_them_either(opened, file):
    move_away(file, "")
    make_database(file.with_name("other"), "other").rename(file)
    with pytest.raises(Error, match="which would damage it"):
        DatabaseWrapper(opened.settings_dict, "another").ensure_connection()


def test_another_database_is_not_mixed_with_the_log_of_the_former(opened, file):
    move_away(file, "")
    make_database(file.with_name("other"), "other").rename(file)
    for _ in range(2):
        with pytest.raises(Error, match=r"not db\.sqlite3-wal and"):
            names(opened)
    move_away(file, "-wal", "-shm")
    assert names(opened) == ["other"]


@pytest.mark.parametrize("gone", ["-wal", "-shm"])
def test_a_database_without_its_log_is_not_opened_again(opened, file, gone):
    """Other connections of this process may still write into the old log."""
    move_away(file, gone)
    for _ in range(2):
        with pytest.raises(Error, match="was removed below this process"):
            names(opened)


def test_a_number_of_an_inode_that_is_used_again_is_no_former_file(opened, file):
    """File systems give the number of a deleted file to the next new one."""
    for _ in range(5):
        for suffix in files.SUFFIXES:
            file.with_name(f"{file.name}{suffix}").unlink()
        with pytest.raises(Error, match="is missing"):
            names(opened)
        make_database(file, "other")
        assert names(opened) == ["other"]


def test_files_that_are_put_back_are_used_again(opened, file):
    move_away(file, "")
    with pytest.raises(Error, match="is missing"):
        names(opened)
    file.with_name("old").rename(file)
    assert names(opened) == ["first"]
    write(opened)


def test_a_connection_that_was_closed_below_has_lost_nothing(opened):
    """The last one takes its log along."""
    write(opened)
    opened.connection.close()
    assert names(opened) == ["first", "second"]
