"""`import_original`: whoever runs the original service moves in with one command and loses nothing."""

import io
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core import retry
from leads import identity_actions, lead_lookup, merging, original_import
from leads.management import original_databases
from leads.models import Identity, Lead, Merge, PossibleDuplicate
from operators.models import Operator
from routing import explanation, fairness, invariants, lifecycle
from routing.models import Contact, ContactEvent, RosterEntry, Source
from tests import characters
from tests.leads import original_service
from tests.leads.original_service import at, contact, lead, operator, source
from tests.service.running import this_database

pytestmark = pytest.mark.django_db

PHONE, SPELLED, OTHER = "+79991234567", "8 (999) 123-45-67", "+79990000002"


@pytest.fixture(autouse=True)
def fresh_ids(db):
    """SQLite gives no id a second time, and other tests have committed some."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_sequence")


@pytest.fixture
def original(tmp_path):
    """Writes rows into the original database, and returns its path."""
    return lambda **tables: original_service.write_sqlite(tmp_path / "crm.db", **tables)


def move_in(place, *options):
    """Moves the database in; returns what is printed."""
    out = io.StringIO()
    call_command("import_original", place, *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def everything():
    """All rows here, to be compared."""
    models = (Operator, Source, RosterEntry, Lead, Identity, Merge, PossibleDuplicate, Contact, ContactEvent)
    return {model: list(model.objects.order_by("pk").values()) for model in models}


def test_everything_is_moved_with_its_ids(original):
    move_in(
        original(
            operators=[operator(3, "Anna", limit=7), operator(5, "Boris", on_duty=False)],
            sources=[source(2, "Telegram Bot", "Main")],
            source_operator_weights=[(2, 3, 30), (2, 5, 10)],
            leads=[lead(4, PHONE, "Anna@Example.com", "Anna")],
            contacts=[contact(8, by=4, source=2, to=3), contact(9, by=4, source=2, to=5, resolved=True)],
        )
    )
    anna, boris = Operator.objects.order_by("pk")
    assert (anna.pk, anna.name, anna.is_active, anna.max_load, anna.current_load) == (3, "Anna", True, 7, 1)
    assert (boris.pk, boris.is_active, boris.current_load) == (5, False, 0)
    assert list(RosterEntry.objects.order_by("operator").values_list("source", "operator", "weight")) == [
        (2, 3, 30),
        (2, 5, 10),
    ]
    client = Lead.objects.get(pk=4)
    assert (client.phone, client.email, client.name) == (PHONE, "anna@example.com", "Anna")
    open_one, resolved = Contact.objects.order_by("pk")
    assert (open_one.pk, open_one.lead_id, open_one.operator_id, open_one.status) == (8, 4, 3, "assigned")
    assert (resolved.pk, resolved.operator_id, resolved.status) == (9, 5, "resolved")
    assert Source.objects.get().description == "Main"


def test_moments_without_a_zone_are_utc(original, settings):
    settings.TIME_ZONE = "Asia/Vladivostok"
    move_in(original(sources=[source(1)], leads=[lead(1, PHONE)], contacts=[contact(7, by=1, resolved=True)]))
    moved = Contact.objects.get()
    assert moved.created_at == datetime(2026, 11, 26, 14, 0, 7, tzinfo=UTC)
    assert moved.resolved_at == datetime(2026, 11, 26, 14, 1, 7, tzinfo=UTC)


def test_a_second_run_changes_nothing(original):
    place = original(
        operators=[operator(1)],
        sources=[source(1), source(2, " Telegram Bot ")],
        source_operator_weights=[(1, 1, 10), (1, 999, 5)],
        leads=[lead(1, PHONE), lead(2, SPELLED), lead(3, "@anna")],
        contacts=[contact(1, by=1, to=1), contact(2, by=2), contact(3, by=3, source=2, resolved=True)],
    )
    move_in(place)
    before = everything()
    told = move_in(place)
    assert everything() == before
    assert [line.split() for line in told.splitlines()[1:]] == [
        ["operators", "0", "1"],
        ["sources", "0", "2"],
        ["source_operator_weights", "0", "2"],
        ["leads", "0", "3"],
        ["contacts", "0", "3"],
    ]


def test_a_second_run_undoes_nothing_that_was_done_here_meanwhile(original):
    place = original(
        operators=[operator(1)],
        sources=[source(1)],
        source_operator_weights=[(1, 1, 10)],
        leads=[lead(1, PHONE), lead(2, SPELLED)],
        contacts=[contact(1, by=1, to=1), contact(2, by=2, to=1)],
    )
    move_in(place)
    lifecycle.resolve_contact(contact_id=1)
    merging.unmerge_lead(lead_id=2)
    RosterEntry.objects.all().delete()
    before = everything()
    move_in(place)
    assert everything() == before


def test_what_the_original_service_got_meanwhile_comes_with_the_next_run(original):
    rows = {"operators": [operator(1, limit=1)], "sources": [source(1)], "leads": [lead(1, PHONE), lead(2, SPELLED)]}
    move_in(original(**rows, contacts=[contact(1, by=1, to=1)]))
    added = original(leads=[lead(3, OTHER)], contacts=[contact(2, by=2, to=1), contact(3, by=3)])
    told = move_in(added)
    assert "contacts                               2             1" in told
    assert Contact.objects.get(pk=2).lead_id == 1  # the survivor of lead 2
    assert characters.load(Operator.objects.get()) == 2
    assert characters.findings() == []


def test_new_ids_follow_those_that_were_moved(original):
    move_in(
        original(
            operators=[operator(40)],
            sources=[source(50)],
            leads=[lead(60, PHONE)],
            contacts=[contact(70, by=60, source=50)],
        )
    )
    bot = characters.source(roster={characters.operator(): 1})
    fresh = characters.contact(bot)
    assert (fresh.operator_id, bot.pk, fresh.lead_id, fresh.pk) == (41, 51, 61, 71)


@pytest.mark.parametrize("phone", ["abc", "123", "@username", "anna-phone", "+7999123456000", f"{PHONE}, +79990"])
def test_a_phone_that_cannot_be_one_becomes_an_id_in_the_channel(phone, original):
    told = move_in(
        original(
            sources=[source(1), source(2, "WhatsApp"), source(3, "Site")],
            leads=[lead(1, phone)],
            contacts=[contact(1, by=1, source=1), contact(2, by=1, source=2), contact(3, by=1, source=2)],
        )
    )
    assert list(Identity.objects.order_by("source").values_list("kind", "value", "source")) == [
        ("external", phone, 1),
        ("external", phone, 2),
    ]
    assert "Leads whose phone or e-mail cannot be one: the text became an id in the channel: 1" in told
    assert characters.findings() == []


def test_a_lead_that_wrote_in_no_channel_keeps_its_text_in_all(original):
    move_in(original(sources=[source(1), source(2, "WhatsApp")], leads=[lead(1, "@anna")]))
    assert set(Identity.objects.values_list("value", "source")) == {("@anna", 1), ("@anna", 2)}


@pytest.mark.parametrize("nothing", [None, "   ", "\u200b", "null", "undefined", "{{ phone }}"])
def test_a_lead_with_nothing_to_recognise_it_by_is_moved_and_reported(nothing, original):
    told = move_in(original(sources=[source(1)], leads=[lead(1, nothing, "")], contacts=[contact(1, by=1)]))
    assert Contact.objects.get().lead_id == 1
    assert not Identity.objects.exists()
    assert "the name of a missing value, such as null, in their place: 1" in told


def test_bots_go_on_as_before(original, api):
    """Whatever they send as a phone, and the ids that they have stored."""
    move_in(original(sources=[source(1)], leads=[lead(1, SPELLED), lead(2, "@anna")], contacts=[contact(1, by=2)]))
    for phone, known in [(PHONE, 1), ("@anna", 2), ("@somebody_new", 3)]:
        answer = api.post("/api/v1/contacts", {"source_id": 1, "lead_phone": phone}, format="json")
        assert (answer.status_code, answer.json()["lead_id"]) == (201, known)


def test_an_identity_that_many_people_share_here_merges_nobody(original):
    rows = {"sources": [source(1)], "leads": [lead(1, PHONE)], "contacts": [contact(1, by=1)]}
    move_in(original(**rows))
    identity_actions.share_identity(lead_id=1, identity_id=Identity.objects.get().pk)
    move_in(original(leads=[lead(2, SPELLED)]))
    assert Lead.objects.get(pk=2).phone == PHONE
    assert not Merge.objects.exists()
    assert characters.findings() == []


def test_identities_and_names_say_where_they_come_from(original):
    move_in(original(sources=[source(1)], leads=[lead(1, PHONE, "a@example.com", "Anna")]))
    assert set(Identity.objects.values_list("added_by", flat=True)) == {"original"}
    assert Lead.objects.get().name_added_by == "original"


def test_one_text_as_phone_and_email_becomes_one_id(original):
    move_in(original(sources=[source(1)], leads=[lead(1, "abc", " abc")], contacts=[contact(1, by=1)]))
    assert Identity.objects.get().value == "abc"


def test_numbers_that_may_be_one_subscriber_are_marked(original):
    move_in(original(leads=[lead(1, "+5491123456789"), lead(2, "+541123456789")]))
    [pair] = PossibleDuplicate.objects.undecided()
    assert (pair.lead_id, pair.other_id) == (1, 2)


@pytest.mark.parametrize(
    "others",
    [
        [lead(1, PHONE, None, "Anna"), lead(2, SPELLED)],
        [lead(1, None, "A.b@example.com", "Anna"), lead(2, None, "a.b@example.com")],
        [lead(1, "@anna", None, "Anna"), lead(2, " @anna ")],
    ],
)
def test_two_spellings_of_one_person_are_merged_and_it_can_be_undone(others, original):
    told = move_in(original(sources=[source(1)], leads=others, contacts=[contact(1, by=1), contact(2, by=2)]))
    assert lead_lookup.find_lead(2).pk == 1
    assert set(Contact.objects.values_list("lead", flat=True)) == {1}
    assert "merged, which can be undone: 2" in told
    assert characters.findings() == []
    merging.unmerge_lead(lead_id=2)
    assert list(Contact.objects.order_by("pk").values_list("lead", flat=True)) == [1, 2]
    assert Lead.objects.get(pk=2).updated_at == datetime(2026, 11, 26, 14, 0, 2, tzinfo=UTC)
    assert characters.findings() == []


def test_the_phone_of_one_lead_with_the_email_of_another_is_marked(original):
    move_in(
        original(
            sources=[source(1)],
            leads=[lead(1, PHONE), lead(2, None, "a@example.com"), lead(3, SPELLED, "A@example.com")],
        )
    )
    assert lead_lookup.find_lead(3).pk == 1
    [pair] = PossibleDuplicate.objects.undecided()
    assert (pair.lead_id, pair.other_id) == (1, 2)
    assert characters.findings() == []


def test_whoever_is_above_the_limit_keeps_what_they_have(original):
    told = move_in(
        original(
            operators=[operator(2, limit=1)],
            sources=[source(1)],
            source_operator_weights=[(1, 2, 10)],
            leads=[lead(1, PHONE)],
            contacts=[contact(pk, by=1, to=2) for pk in range(1, 8)],
        )
    )
    assert characters.load(Operator.objects.get()) == 7
    assert "Operators with more open contacts than their limit, which keep them: 2" in told
    assert characters.findings() == []


def test_loads_are_counted_and_not_believed(original):
    anna = operator(1)
    move_in(
        original(
            operators=[(*anna[:4], 99, *anna[5:])],
            sources=[source(1)],
            leads=[lead(1, PHONE)],
            contacts=[contact(1, by=1, to=1), contact(2, by=1, to=1, resolved=True)],
        )
    )
    assert characters.load(Operator.objects.get()) == 1


def test_open_contacts_without_operator_join_the_queue_by_age(original):
    move_in(
        original(
            operators=[operator(1, limit=1, on_duty=False)],
            sources=[source(1), source(2, "WhatsApp")],
            source_operator_weights=[(1, 1, 10)],
            leads=[lead(1, PHONE)],
            contacts=[contact(1, by=1, resolved=True), contact(2, by=1), contact(3, by=1), contact(4, by=1, source=2)],
        )
    )
    waiting = Contact.objects.waiting().order_by("pk")
    assert [(one.pk, one.queue_position, one.waiting_reason) for one in waiting] == [
        (2, 1, "all_inactive"),
        (3, 2, "all_inactive"),
        (4, 1, "no_operators"),
    ]
    bot = Source.objects.get(pk=1)
    assert characters.contact(bot).queue_position == 3


def test_waiting_contacts_are_assigned_while_somebody_is_free(original):
    move_in(
        original(
            operators=[operator(1, limit=2)],
            sources=[source(1)],
            source_operator_weights=[(1, 1, 10)],
            leads=[lead(1, PHONE)],
            contacts=[contact(pk, by=1) for pk in (1, 2, 3)],
        )
    )
    assert list(Contact.objects.order_by("pk").values_list("operator", flat=True)) == [1, 1, None]
    assert characters.findings() == []


def test_names_are_made_to_fit(original):
    told = move_in(
        original(
            operators=[operator(1, "x"), operator(2, "x"), operator(3, "   "), operator(4, "  Zoya  ")],
            sources=[source(1), source(2, "telegram bot"), source(3, " Telegram Bot "), source(4, "Telegram Bot")],
        )
    )
    assert list(Operator.objects.order_by("pk").values_list("name", flat=True)) == ["x", "x", "Operator 3", "Zoya"]
    assert list(Source.objects.order_by("pk").values_list("name", flat=True)) == [
        "Telegram Bot",
        "telegram bot",
        "Telegram Bot (3)",
        "Telegram Bot (4)",
    ]
    assert "the name of another source: 3, 4" in told


def test_numbers_out_of_range_are_set_to_the_nearest(original):
    told = move_in(
        original(
            operators=[operator(1, limit=1_000), operator(2, limit=0)],
            sources=[source(1)],
            source_operator_weights=[(1, 1, 500), (1, 2, 0)],
        )
    )
    assert list(Operator.objects.order_by("pk").values_list("max_load", flat=True)) == [100, 1]
    assert list(RosterEntry.objects.order_by("operator").values_list("weight", flat=True)) == [100, 1]
    assert "Operators whose limit was not from 1 to 100: set to the nearest: 1, 2" in told


def test_rows_that_refer_to_deleted_ones_are_not_lost(original):
    told = move_in(
        original(
            operators=[operator(1)],
            sources=[source(1)],
            source_operator_weights=[(1, 999, 5)],
            leads=[lead(1, PHONE)],
            contacts=[contact(1, by=404), contact(2, by=1, source=77), contact(3, by=1, to=999)],
        )
    )
    moved: list[Any] = list(Contact.objects.order_by("pk").values_list("lead", "source", "operator", "waiting_reason"))
    assert moved == [
        (404, 1, None, "no_operators"),
        (1, 77, None, "source_closed"),
        (1, 1, None, "no_operators"),
    ]
    assert Source.objects.get(pk=77).archived_at
    for sentence in ("weights of operators that do not exist: left out: 1", "created in the archive: 77"):
        assert sentence in told
    assert characters.findings() == []


@pytest.mark.parametrize(
    ("message", "kept"),
    [("", ""), ("  hi \n", "  hi \n"), ("a\0b", "a\ufffdb"), ("👍🏽" * 9, "👍🏽" * 9), ("m" * 70_000, "m" * 65_536)],
)
def test_messages_are_kept(message, kept, original):
    move_in(original(sources=[source(1)], leads=[lead(1, PHONE)], contacts=[contact(1, by=1, message=message)]))
    moved = Contact.objects.get()
    assert moved.message == kept
    assert bool(moved.warnings) == (message != kept)


def test_pages_of_a_moved_contact_explain_where_it_comes_from(original, api):
    move_in(
        original(
            operators=[operator(1)],
            sources=[source(1)],
            leads=[lead(1, PHONE)],
            contacts=[contact(1, by=1, to=1, resolved=True), contact(2, by=1)],
        )
    )
    had, waited = (explanation.explain_decision(contact_id=pk) for pk in (1, 2))
    assert (had.cause, had.strategy, had.chosen, had.text) == (
        "intake",
        "original",
        1,
        "Anna had it in the original service.",
    )
    assert (waited.chosen, waited.text) == (None, "It had no operator in the original service.")
    assert [explanation.event_text(event) for event in explanation.list_events(contact_id=1)] == [
        "Registered by the original service: to Anna.",
        "Resolved by the original service; the operator was Anna.",
    ]
    assert [event.at for event in explanation.list_events(contact_id=1)] == [
        datetime(2026, 11, 26, 14, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 26, 14, 1, 1, tzinfo=UTC),
    ]
    for page in ("contacts/1", "contacts/1/decision", "contacts/1/history", "leads/1/contacts", "queue"):
        assert api.get(f"/api/v1/{page}").status_code == 200


def test_moved_contacts_are_no_evidence_of_fairness(original):
    move_in(
        original(
            operators=[operator(1), operator(2)],
            sources=[source(1)],
            source_operator_weights=[(1, 1, 10), (1, 2, 10)],
            leads=[lead(1, PHONE)],
            contacts=[contact(pk, by=1, to=1) for pk in range(1, 10)],
        )
    )
    assert [share.assigned for share in fairness.distribution()] == [0, 0]
    assert list(invariants.wrong_decisions()) == []


def test_a_dry_run_reports_the_same_and_changes_nothing(original):
    place = original(
        operators=[operator(1)],
        sources=[source(1)],
        source_operator_weights=[(1, 1, 10)],
        leads=[lead(1, PHONE), lead(2, SPELLED), lead(3, "abc")],
        contacts=[contact(1, by=1, to=1), contact(2, by=2)],
    )
    before = everything()
    rehearsed = move_in(place, "--dry-run")
    assert everything() == before
    assert rehearsed.splitlines()[1:] == move_in(place).splitlines()[1:]


def test_progress_is_taken_back_when_the_transaction_starts_again(original, monkeypatch):
    path = original(operators=[operator(1)], sources=[source(1)], leads=[lead(1, PHONE)], contacts=[contact(1, by=1)])
    lost, steps = iter([retry.LostRace]), list[int]()

    def lose_once(_):
        for error in lost:
            raise error

    monkeypatch.setattr(original_import, "move_sequences", lose_once)
    with original_databases.opened(str(path)) as database:
        original_import.import_original(original=database, progress=steps.append)
        assert sum(steps) == database.count() > 0 > min(steps)


@pytest.mark.parametrize("own", [lambda: characters.operator(), lambda: characters.contact(characters.source())])
def test_a_database_with_other_data_is_refused(own, original):
    own()
    before = everything()
    for pk in (1, 500):
        place = original(operators=[operator(pk)], sources=[source(pk)])
        with pytest.raises(CommandError, match="Move it into an empty database"):
            move_in(place)
        assert everything() == before


def test_an_id_that_was_given_here_meanwhile_is_refused(original):
    rows = {"sources": [source(1)], "leads": [lead(1, PHONE)]}
    move_in(original(**rows, contacts=[contact(1, by=1)]))
    characters.contact(Source.objects.get())
    before = everything()
    with pytest.raises(CommandError, match="Move it into an empty database"):
        move_in(original(contacts=[contact(2, by=1)]))
    assert everything() == before


def test_what_is_no_original_database_is_refused(tmp_path, original):
    text = tmp_path / "text.db"
    text.write_text("no database at all" * 100)
    for place, said in [
        ("/nowhere/at/all.db", "does not exist"),
        (str(text), "not a database"),
        ("postgresql+asyncpg://nobody@127.0.0.1:1/crm", "cannot be opened"),
    ]:
        with pytest.raises(CommandError, match=said):
            move_in(place)
    bad = original(operators=[(*operator(1)[:5], "yesterday", at(1))])
    with pytest.raises(CommandError, match="Table operators, row 1 cannot be read: Invalid isoformat string"):
        move_in(bad)


def test_sqlalchemys_urls_name_the_file_too(original):
    move_in(f"sqlite+aiosqlite:///{original(operators=[operator(1)])}")
    assert Operator.objects.count() == 1


@pytest.mark.postgresql
def test_an_original_service_on_postgresql_moves_in(tmp_path):
    schema = "original_service"
    url = this_database()
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(f"CREATE SCHEMA {schema}")
    try:
        place = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        original_service.write_postgresql(
            place,
            operators=[operator(1)],
            sources=[source(1)],
            source_operator_weights=[(1, 1, 10)],
            leads=[lead(1, PHONE), lead(2, "abc")],
            contacts=[contact(1, by=1, to=1), contact(2, by=2, resolved=True)],
        )
        for moved, known in [(2, 0), (0, 2)]:
            assert f"contacts{moved:>32}{known:>14}" in move_in(place.replace("postgres://", "postgresql+psycopg2://"))
        assert Contact.objects.get(pk=1).created_at == datetime(2026, 11, 26, 14, 0, 1, tzinfo=UTC)
        assert characters.findings() == []
    finally:
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(f"DROP SCHEMA {schema} CASCADE")
