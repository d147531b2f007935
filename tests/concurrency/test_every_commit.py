"""Deferred triggers judge every commit: the invariants at rest do not see what heals before the end."""

from random import Random

import pytest
from django.db import Error, connection

from routing import contact_changes, lifecycle
from tests import characters, random_actions
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

STEPS = 120  # of each of eight threads

JUDGE = """
CREATE FUNCTION judge_contact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found operators_operator;
    number integer;
BEGIN
    -- What changes neither hands nor state is done without the operators' locks, and may see others half-way.
    IF TG_OP = 'UPDATE' AND NEW.operator_id IS NOT DISTINCT FROM OLD.operator_id
        AND (NEW.resolved_at IS NULL) = (OLD.resolved_at IS NULL)
    THEN
        RETURN NULL;
    END IF;
    FOR found IN
        SELECT * FROM operators_operator
        WHERE id = NEW.operator_id AND NEW.resolved_at IS NULL OR id = OLD.operator_id AND OLD.resolved_at IS NULL
    LOOP
        SELECT count(*) INTO number FROM routing_contact WHERE operator_id = found.id AND resolved_at IS NULL;
        IF number <> found.current_load THEN
            RAISE EXCEPTION 'operator % has load % and % open contacts', found.id, found.current_load, number;
        END IF;
        IF found.id = NEW.operator_id AND NEW.resolved_at IS NULL AND NOT NEW.is_forced
            AND (TG_OP = 'INSERT' OR OLD.operator_id IS DISTINCT FROM NEW.operator_id OR OLD.resolved_at IS NOT NULL)
            AND (found.current_load > found.max_load OR NOT found.is_active OR found.archived_at IS NOT NULL)
        THEN
            RAISE EXCEPTION 'operator % was given a contact beyond limit or duty', found.id;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER judge AFTER INSERT OR UPDATE ON routing_contact
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION judge_contact();
"""


@pytest.fixture
def judged():
    with connection.cursor() as cursor:
        cursor.execute(JUDGE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER judge ON routing_contact; DROP FUNCTION judge_contact()")


def test_every_commit_keeps_load_limit_and_duty(judged):
    team = [characters.operator(f"Operator {number}", limit=3) for number in range(6)]
    for start in range(0, 6, 2):
        characters.source(roster={team[(start + step) % 6]: 10 + step for step in range(3)})

    def act(seed):
        chance = Random(seed)
        for _ in range(STEPS):
            random_actions.act(chance.choice(random_actions.VERBS), chance)

    together(*[lambda seed=seed: act(seed) for seed in range(8)])
    assert characters.findings() == []


def test_a_place_that_is_not_given_back_is_noticed_at_its_commit(judged, monkeypatch):
    """The control for the test above."""
    contact = characters.contact(characters.source(roster={characters.operator(): 10}))
    monkeypatch.setattr(lifecycle, "places_given_back", lambda operator_id: [])
    with pytest.raises(Error, match="has load 1 and 0 open contacts"):
        lifecycle.resolve_contact(contact_id=contact.pk)


def test_a_contact_beyond_the_limit_is_noticed_at_its_commit(judged, monkeypatch):
    """The control for limit and duty."""
    full = characters.operator(limit=1)
    bot = characters.source(roster={full: 10})
    contacts = [characters.contact(bot) for _ in range(2)]
    monkeypatch.setattr(lifecycle, "raise_if_not_free", lambda operator: None)
    monkeypatch.setattr(lifecycle, "assigned_to", lambda pk, *, is_forced: contact_changes.assigned_to(pk))
    with pytest.raises(Error, match="beyond limit or duty"):
        lifecycle.give_contact(contact_id=contacts[1].pk, operator_id=full.pk)
