"""`import_contacts`: each row of a table makes one contact, however often the table comes."""

import csv
import io
import sys

import pytest
from django.core.management import CommandError, call_command

from leads.models import Lead
from routing import explanation
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

ANNA, BORIS, NOBODY = "+79990000001", "+79990000002", "12"


@pytest.fixture
def bot():
    return characters.source("Telegram Bot", roster={characters.operator(limit=3): 10})


@pytest.fixture
def table(tmp_path):
    """Writes a table, the way people's programs do, and returns its path."""

    def write(*lines, encoding="utf-8", end="\n"):
        path = tmp_path / "contacts.csv"
        path.write_bytes(end.join([*lines, ""]).encode(encoding))
        return str(path)

    return write


def run(file, *options):
    """Imports the table; what is said, in both streams together."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_contacts", file, *map(str, options), stdout=out, stderr=err)
    except CommandError as refusal:
        return out.getvalue() + err.getvalue() + str(refusal)
    return out.getvalue() + err.getvalue()


def test_each_row_makes_a_contact(bot, table):
    told = run(table("source_id,lead_phone,lead_name,message", f"{bot.pk},{ANNA},Anna,Hi!", f"{bot.pk},{BORIS},,"))
    first, second = Contact.objects.order_by("pk")
    assert (first.lead.phone, first.lead.name, first.message) == (ANNA, "Anna", "Hi!")
    assert (second.lead.phone, second.lead.name, second.message) == (BORIS, None, None)
    assert "2 contacts registered" in told


def test_rows_are_routed_by_the_rule_and_nobody_is_overloaded(bot, table):
    run(table("lead_phone", *(f"+7999000000{number}" for number in range(8))), "--source", bot.pk)
    assert (Contact.objects.open().count(), Contact.objects.waiting().count()) == (3, 5)
    assert characters.findings() == []


def test_the_same_table_again_makes_nothing(bot, table):
    path = table("lead_phone,message", f"{ANNA},Hi!", f"{BORIS},Hi!")
    run(path, "--source", bot.pk)
    assert "0 contacts registered, 2 were registered before." in run(path, "--source", bot.pk)
    assert Contact.objects.count() == 2


def test_two_equal_rows_are_two_contacts(bot, table):
    path = table("lead_phone,message", f"{ANNA},Hi!", f"{ANNA},Hi!")
    for _ in range(2):
        run(path, "--source", bot.pk)
    assert (Contact.objects.count(), Lead.objects.count()) == (2, 1)


def test_another_programs_line_ends_and_spaces_make_no_other_row(bot, table):
    run(table("lead_phone,message", f'{ANNA},"Hi!\nAgain."'), "--source", bot.pk)
    again = run(table("Lead_Phone , MESSAGE", f' {ANNA} ,"Hi!\r\nAgain."', end="\r\n"), "--source", bot.pk)
    assert "0 contacts registered, 1 were registered before." in again


def test_a_key_in_the_table_counts_and_not_what_the_row_says(bot, table):
    header = "idempotency_key,lead_phone,message"
    run(table(header, f"a,{ANNA},Hi!", f"b,{ANNA},Hi!"), "--source", bot.pk)
    told = run(table(header, f"c,{ANNA},Hi!", f"a,{ANNA},Hi!", f"b,{ANNA},Ho!"), "--source", bot.pk)
    assert "line 4, idempotency_key: The idempotency key “b” was already used" in told
    assert "1 contacts registered, 1 were registered before." in told


def test_sources_are_known_by_name_too(bot, table):
    told = run(table("source,lead_phone", f"Telegram Bot,{ANNA}", f"Telegram Bott,{ANNA}"))
    assert Contact.objects.get().source == bot
    assert "line 3, source: Source “Telegram Bott” does not exist." in told


def test_a_rejected_row_is_told_of_by_line_and_spoils_no_other(bot, table):
    told = run(table("lead_phone,message", f'{ANNA},"two\nlines"', "", f"{NOBODY},Hi!", BORIS), "--source", bot.pk)
    assert Contact.objects.count() == 2
    assert "line 5, lead_phone: “12” is not a valid phone number (expected +79991234567)." in told
    assert "1 of 3 rows were rejected." in told


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"404,{ANNA},,", "line 2, source_id: Source 404 does not exist."),
        (f"one,{ANNA},,", "line 2, source_id: “one” is not a valid source id."),
        ("BOT,,,", "line 2, lead_external_id, lead_phone, lead_email: Give at least one of"),
        (f"BOT,{ANNA},{'x' * 256},", "line 2, lead_name: lead_name has 256 characters; at most 255 are allowed."),
        (f"BOT,{ANNA},A\0na,", "line 2, lead_name: lead_name contains a NUL character."),
        (f"BOT,{ANNA},Anna,Well, hello", "line 2, row: The row has more cells than columns"),
    ],
)
def test_the_reason_names_the_column(row, said, bot, table):
    path = table("source_id,lead_phone,lead_name,message", row.replace("BOT", str(bot.pk)))
    assert said in run(path, "--dry-run")
    assert said in run(path)
    assert not Contact.objects.exists()


def test_rejected_rows_can_be_mended_and_imported(bot, table, tmp_path):
    rejected = tmp_path / "rejected.csv"
    run(table("message;lead_phone", f"Hi!;{ANNA}", f'"Oh; so";{NOBODY}'), "--source", bot.pk, "--rejected", rejected)
    [row] = csv.DictReader(rejected.read_text("utf-8-sig").splitlines(), delimiter=";")
    assert (row["message"], row["line"]) == ("Oh; so", "3")
    assert row["reason"] == "lead_phone: “12” is not a valid phone number (expected +79991234567)."
    rejected.write_text(rejected.read_text().replace(NOBODY, BORIS, 1))
    for told in (1, 0):
        assert f"{told} contacts registered" in run(str(rejected), "--source", bot.pk)


def test_a_mended_table_makes_only_what_was_missing(bot, table):
    run(table("lead_phone", ANNA, NOBODY), "--source", bot.pk)
    assert "1 contacts registered, 1 were registered before." in run(
        table("lead_phone", ANNA, BORIS), "--source", bot.pk
    )


def test_a_dry_run_says_the_same_and_changes_nothing(bot, table):
    path = table("idempotency_key,lead_phone", f"a,{ANNA}", f",{NOBODY}", f"a,{BORIS}", f"a,{ANNA}", f",{BORIS}")
    rehearsed = run(path, "--source", bot.pk, "--dry-run")
    assert not Contact.objects.exists()
    assert rehearsed.replace("would be registered", "registered") == run(path, "--source", bot.pk)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251", "utf-16"])
def test_tables_of_all_usual_programs_are_read(delimiter, encoding, bot, table):
    lines = [delimiter.join(cells) for cells in [("lead_phone", "message"), (ANNA, "Здравствуйте")]]
    run(table(*lines, encoding=encoding), "--source", bot.pk, "--encoding", encoding)
    assert Contact.objects.get().message == "Здравствуйте"


def test_another_encoding_is_refused_by_name(bot, table):
    told = run(table("lead_phone,message", f"{ANNA},Привет", encoding="cp1251"), "--source", bot.pk)
    assert "is not valid utf-8-sig. Set --encoding" in told
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["lead_phon,message"], "Unknown columns: lead_phon (expected "),
        (["message,Message"], "A column is named twice."),
        (["source,source_id"], "not both"),
        (["source_id,lead_phone"], "Give either --source or a column"),
        ([], "The first line must name the columns."),
        (["lead_phone,message", '1,"never closed'], "Line 2 is not valid CSV"),
    ],
)
def test_what_is_no_table_of_contacts_is_refused(lines, said, bot, table):
    assert said in run(table(*lines), "--source", bot.pk)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--source", "404"], "Source 404 does not exist."),
        (["--encoding", "klingon"], "unknown encoding: klingon"),
        (["--rejected", "/nowhere/at/all.csv"], "cannot be written"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said, table):
    assert said in run(table("source_id,lead_phone"), *options)


def test_the_list_of_rejected_rows_never_overwrites_the_table(bot, table):
    path = table("lead_phone", NOBODY)
    assert "names the file that is being imported" in run(path, "--source", bot.pk, "--rejected", path)


def test_a_missing_file_is_refused(bot):
    assert "cannot be read" in run("/nowhere/at/all.csv", "--source", bot.pk)


def test_standard_input_is_read_too(bot, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"lead_phone\n{ANNA}\n".encode())))
    assert "1 contacts registered" in run("-", "--source", bot.pk)


def test_the_history_says_import(bot, table):
    run(table("lead_phone", ANNA), "--source", bot.pk)
    [event] = explanation.list_events(contact_id=Contact.objects.get().pk)
    assert explanation.event_text(event).startswith("Registered by import")


def test_a_large_table_takes_the_same_path(bot, table):
    """Several rounds of rows, more than anybody has room for; 100,000 rows are tried by hand."""
    people = [f"+7999{number % 900:07d},{number // 300}" for number in range(1_200)]
    path = table("lead_phone,message", *people, *[NOBODY] * 30)
    for registered, known in [(1200, 0), (0, 1200)]:
        told = run(path, "--source", bot.pk)
        assert f"{registered} contacts registered, {known} were registered before." in told
        assert "30 of 1230 rows were rejected, the first 20 of them are listed above." in told
        assert told.count("is not a valid phone number") == 20
    assert (Contact.objects.count(), Lead.objects.count()) == (1_200, 900)
    assert characters.findings() == []
