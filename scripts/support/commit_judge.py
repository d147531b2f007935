"""Deferred triggers that judge every commit: the invariants at rest do not see what heals before the end.

For the tests of races and for `scripts/soak`. What they refuse has SQLSTATE P0001, which nothing else here raises.
"""

# What changes neither hands nor state is done without the operators' locks, and may see others half-way.
# A leave that is undone gives contacts back also to somebody who is off duty.
OF_CONTACTS = """
CREATE FUNCTION judge_contact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found operators_operator;
    number integer;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.operator_id IS NOT DISTINCT FROM OLD.operator_id
        AND (NEW.resolved_at IS NULL) = (OLD.resolved_at IS NULL)
    THEN
        RETURN NULL;
    END IF;
    IF NEW.operator_id IS DISTINCT FROM OLD.operator_id
        AND (NEW.accepted_at IS NOT NULL OR NEW.first_reaction_at IS NOT NULL)
    THEN
        RAISE EXCEPTION 'contact % counts as taken by somebody who has just got it', NEW.id;
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
            AND (found.current_load > found.max_load OR found.archived_at IS NOT NULL OR NOT found.is_active
                AND NOT EXISTS (SELECT 1 FROM operators_absence WHERE operator_id = found.id AND moved IS NOT NULL))
        THEN
            RAISE EXCEPTION 'operator % was given a contact beyond limit or duty', found.id;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER judge AFTER INSERT OR UPDATE ON routing_contact
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION judge_contact();
"""

# A load that changes without a contact, and a person who leaves without handing over.
OF_OPERATORS = """
CREATE FUNCTION judge_operator() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found operators_operator;
    number integer;
BEGIN
    SELECT * INTO found FROM operators_operator WHERE id = NEW.id;
    SELECT count(*) INTO number FROM routing_contact WHERE operator_id = NEW.id AND resolved_at IS NULL;
    IF number <> found.current_load OR found.archived_at IS NOT NULL AND number > 0 THEN
        RAISE EXCEPTION 'operator % has load % and % open contacts', found.id, found.current_load, number;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER judge AFTER UPDATE OF current_load, archived_at ON operators_operator
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION judge_operator();
"""

# Nobody gets a contact by the rule who is not on the roster, or of a source that is closed.
OF_DECISIONS = """
CREATE FUNCTION judge_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.draw IS NULL AND NEW.strategy IS DISTINCT FROM 'smooth' OR NEW.to_operator_id IS NULL OR EXISTS (
        SELECT 1 FROM routing_contact
        JOIN routing_source ON routing_source.id = routing_contact.source_id AND routing_source.archived_at IS NULL
        JOIN routing_rosterentry ON routing_rosterentry.source_id = routing_source.id
        WHERE routing_contact.id = NEW.contact_id AND routing_rosterentry.operator_id = NEW.to_operator_id
    ) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'operator % was chosen who is not on the roster', NEW.to_operator_id;
END $$;
CREATE CONSTRAINT TRIGGER judge AFTER INSERT ON routing_contactevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION judge_decision();
"""

INSTALL = OF_CONTACTS + OF_OPERATORS + OF_DECISIONS

REMOVE = """
DROP TRIGGER judge ON routing_contact; DROP FUNCTION judge_contact();
DROP TRIGGER judge ON operators_operator; DROP FUNCTION judge_operator();
DROP TRIGGER judge ON routing_contactevent; DROP FUNCTION judge_decision();
"""
