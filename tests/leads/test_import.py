"""`import_contacts`: each row of a table makes one contact, however often the table comes."""

import csv
import io
import sys
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from leads.management import csv_files
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
        (f"BOT,{ANNA}\0,Anna,", "line 2, lead_phone: lead_phone contains a NUL character."),
        (f"BOT,{ANNA},Anna,Well, hello", "line 2, row: The row has a cell in a column without a name, or more"),
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_files_need_no_option(encoding, bot, table):
    run(table("lead_phone\tmessage", f"{ANNA}\tЗдравствуйте", encoding=encoding), "--source", bot.pk)
    assert Contact.objects.get().message == "Здравствуйте"


def test_a_mark_at_the_beginning_is_no_part_of_the_first_column(bot, table):
    run(table('"lead_phone"', ANNA, encoding="utf-8-sig"), "--source", bot.pk, "--encoding", "UTF-8")
    assert Contact.objects.count() == 1


def test_a_file_in_another_encoding_is_refused_before_its_first_row(bot, table):
    lines = ["lead_phone,message", *[f"{ANNA},Hi!"] * 2_000, f"{ANNA},Привет"]
    told = run(table(*lines, encoding="cp1251"), "--source", bot.pk)
    assert "Line 2002 is not UTF-8 text. Save it as “CSV UTF-8”, or name its encoding: --encoding cp1251" in told
    assert not Contact.objects.exists()


@pytest.mark.parametrize("before", [["sep=;"], ["", "sep=;"], [""], ["", "", ";;"], ['"sep=;"', ";"]])
def test_lines_above_the_header_do_no_harm(before, bot, table):
    told = run(table(*before, "message;lead_phone", f"a,b,c;{ANNA}", f";{NOBODY}"), "--source", bot.pk)
    assert Contact.objects.get().message == "a,b,c"
    assert f"line {len(before) + 3}, lead_phone: " in told


@pytest.mark.parametrize("header", ["lead_phone;message;;;", ";lead_phone;;message"])
def test_empty_columns_without_a_name_do_no_harm(header, bot, table):
    row = header.replace("lead_phone", ANNA).replace("message", "Hi!")
    run(table(header, row, row + ";;; "), "--source", bot.pk)
    assert Contact.objects.filter(message="Hi!").count() == 2


@pytest.mark.parametrize("header", ["lead_phone,,message", ",lead_phone,message", "lead_phone,message,,"])
def test_a_cell_in_a_column_without_a_name_is_never_dropped(header, bot, table, tmp_path):
    rejected = tmp_path / "rejected.csv"
    row = header.replace("lead_phone", ANNA).replace("message", "Hi!").replace(",,", ",lost,").rstrip(",")
    row = row if "lost" in row else f"lost{row}"
    told = run(table(header, row), "--source", bot.pk, "--rejected", rejected)
    assert "line 2, row: The row has a cell in a column without a name" in told
    assert not Contact.objects.exists()
    assert "lost" in rejected.read_text()


@pytest.mark.parametrize("row", ['a","', '"a', 'a,"b', '"",""a'])
def test_many_lost_quotation_marks_do_not_read_the_file_again_and_again(row, monkeypatch):
    read = Counter[str]()

    class Counting(csv_files.Replay):
        def __next__(self) -> str:
            line = super().__next__()
            read["lines"] += 1
            return line

    monkeypatch.setattr(csv_files, "Replay", Counting)
    rows = 3_000
    assert list(csv_files.csv_records(iter([f"{row}\n"] * rows), ",", 0))
    assert read["lines"] <= (csv_files.MOST_LINES_AGAIN + 2) * rows


@pytest.mark.parametrize(
    "bad",
    [
        f'{ANNA},"never closed',
        f'{ANNA},"closed" too early',
        f'"{ANNA},never closed',
    ],
)
def test_one_lost_quotation_mark_costs_one_row(bad, bot, table, tmp_path):
    rejected = tmp_path / "rejected.csv"
    rows = [f"+7999000001{number},Hi!" for number in range(4)]
    path = table("lead_phone,message", *rows[:2], bad, *rows[2:], f'{BORIS},"two\nlines"')
    told = run(path, "--source", bot.pk, "--rejected", rejected)
    assert "5 contacts registered" in told
    assert "line 4, row: The quotation marks do not match: close each one, and double those within a text." in told
    assert Contact.objects.latest("pk").message == "two\nlines"
    [row] = list(csv.reader(rejected.read_text("utf-8-sig").splitlines()))[1:]
    assert row[:2] == bad.split(",")


def test_a_quotation_mark_that_is_never_closed_reads_no_file_into_memory(bot, table):
    """A cell has at most a million characters; 50 lost marks in a row are found one by one."""
    rows = [f"+7999{number:07d},{'x' * 500}" for number in range(3_000)]
    told = run(table("lead_phone,message", f'{ANNA},"Hi!', *rows), "--source", bot.pk, "--dry-run")
    assert "3000 contacts would be registered" in told
    assert "1 of 3001 rows were rejected." in told


@pytest.fixture
def workbook(tmp_path):
    """Writes an Excel file with these sheets, each a list of rows, and returns its path."""
    import openpyxl  # as where it is used: only for Excel files

    def write(*sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets):
            sheet = book.create_sheet(f"Sheet {number}")
            for row in rows:
                sheet.append(row)
        path = tmp_path / "contacts.xlsx"
        book.save(path)
        return str(path)

    return write


def test_excel_files_are_read(bot, workbook):
    told = run(
        workbook([], [["lead_phone", "message", None], [79990000001, "Hi!"], [], ["+79990000002", 5.0, " "]]),
        "--source",
        bot.pk,
    )
    first, second = Contact.objects.order_by("pk")
    assert (first.lead.phone, first.message) == (ANNA, "Hi!")
    assert (second.lead.phone, second.message) == (BORIS, "5")
    assert "2 contacts registered" in told


def test_rejected_rows_of_an_excel_file_can_be_mended_and_imported(bot, workbook, tmp_path):
    rejected = tmp_path / "rejected.csv"
    path = workbook([["lead_phone", "message"], [ANNA, "Hi!"], [], [NOBODY, "Ho; ho"]])
    assert "line 4, lead_phone: " in run(path, "--source", bot.pk, "--rejected", rejected)
    rejected.write_text(rejected.read_text("utf-8-sig").replace(NOBODY, BORIS, 1))
    assert "1 contacts registered" in run(str(rejected), "--source", bot.pk)
    assert Contact.objects.latest("pk").message == "Ho; ho"


def test_a_second_sheet_is_never_dropped(bot, workbook):
    rows = [["lead_phone"], [ANNA]]
    told = run(workbook(rows, rows), "--source", bot.pk)
    assert "more than one sheet with content: Sheet 0, Sheet 1. Save each as a file of its own." in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 no more", "is not a valid Excel file (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel file (.xls). Save it as .xlsx or as CSV UTF-8."),
    ],
)
def test_other_files_of_excel_are_refused_by_what_to_do(content, said, bot, tmp_path):
    path = tmp_path / "contacts.xlsx"
    path.write_bytes(content)
    assert said in run(str(path), "--source", bot.pk)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["lead_phon,message"], "Unknown columns: lead_phon (expected "),
        (["message,Message"], "A column is named twice."),
        (["source,source_id"], "not both"),
        (["source_id,lead_phone"], "Give either --source or a column"),
        ([], "The first line must name the columns."),
        (['lead_phone,"message'], "Line 1: The quotation marks do not match"),
    ],
)
def test_what_is_no_table_of_contacts_is_refused(lines, said, bot, table):
    assert said in run(table(*lines), "--source", bot.pk)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--source", "404"], "Source 404 does not exist."),
        (["--encoding", "klingon"], "The encoding klingon is unknown"),
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


def test_what_was_set_aside_is_told_and_its_row_registered(bot, table):
    path = table("lead_phone,lead_email,message", f"{ANNA},nonsense,Hi!", f"{BORIS},,Hi!")
    said = "line 2, warning, lead_email: “nonsense” cannot be an e-mail address."
    rehearsed = run(path, "--source", bot.pk, "--dry-run")
    assert said in rehearsed
    assert rehearsed.replace("would be registered", "registered") == run(path, "--source", bot.pk)
    assert Contact.objects.filter(warnings__isnull=False).count() == 1


@pytest.mark.parametrize("cell", ["79990000001.0", "7.9990000001E+10", "\u200b8 999 000-00-01\u200b"])
def test_a_number_that_a_spreadsheet_has_rewritten_is_the_number(bot, table, cell):
    run(table("source_id,lead_phone", f"{bot.pk}.0,{cell}"))
    assert Contact.objects.get().lead.phone == ANNA


def test_a_number_that_a_spreadsheet_has_shortened_is_refused(bot, table):
    told = run(table("lead_phone,lead_external_id", "7.99912E+10,", ",1.23457E+08"), "--source", bot.pk)
    assert "line 2, lead_phone: “7.99912E+10” is not a valid phone number" in told
    assert "line 3, lead_external_id: “1.23457E+08” is a number that has lost digits." in told
    assert not Contact.objects.exists()


def test_a_cell_that_shows_nothing_is_empty(bot, table):
    run(table("lead_phone,lead_email,lead_name", f"{ANNA},\u200b,\u3164"), "--source", bot.pk)
    contact = Contact.objects.get()
    assert (contact.lead.name, contact.warnings) == (None, None)
