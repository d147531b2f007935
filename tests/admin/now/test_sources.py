"""Which source needs somebody most, why its contacts wait, and the button that helps."""

from datetime import timedelta

from django.utils import timezone

from operators.models import Operator
from routing import duty_edges, lifecycle, opening_hours, operator_actions, source_actions
from routing.models import Contact, ContactEvent, Source
from tests import characters


def remedy(lines, source):
    trouble = next(line.trouble for line in lines() if line.source == source)
    return trouble.text, trouble.remedy and trouble.remedy.label


def off_duty(*operators):
    for operator in operators:
        operator_actions.change_operator(operator_id=operator.pk, changes={"is_active": False})


def test_where_a_contact_waits_longest_comes_first(lines):
    quiet = characters.source("A", roster={characters.operator(): 10})
    short, long = characters.source("B"), characters.source("C")
    for source, minutes in ((short, 5), (long, 60)):
        contact = characters.contact(source)
        ContactEvent.objects.filter(contact=contact).update(at=timezone.now() - timedelta(minutes=minutes))
    assert [line.source for line in lines()] == [long, short, quiet]


def test_a_source_whose_next_contact_would_wait_comes_before_others(lines):
    characters.source("A", roster={characters.operator(): 10})
    empty = characters.source("B")
    assert lines()[0].source == empty
    assert not lines()[0].is_urgent


def test_what_was_put_back_waits_since_then_and_not_since_it_was_registered(lines):
    operator = characters.operator()
    contact = characters.contact(characters.source(roster={operator: 10}))
    long_ago = timezone.now() - timedelta(days=8)
    Contact.objects.filter(pk=contact.pk).update(created_at=long_ago)
    ContactEvent.objects.filter(contact=contact).update(at=long_ago)
    off_duty(operator)
    lifecycle.return_contact(contact_id=contact.pk)
    assert timezone.now() - lines()[0].waits_since < timedelta(minutes=5)


def test_it_counts_what_arrived_within_an_hour_and_the_free_places(lines):
    source = characters.source(roster={characters.operator("Anna", limit=5): 10, characters.operator("Boris"): 10})
    old, _ = characters.contact(source), characters.contact(source)
    Contact.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=2))
    [line] = lines()
    assert (line.arrivals, line.on_duty_count, line.free_places) == (1, 2, 13)


def test_an_empty_roster_leads_to_the_page_of_the_source(lines):
    source = characters.source()
    characters.contact(source)
    assert remedy(lines, source) == ("Nobody is on the roster.", "Add to the roster…")


def test_who_went_off_duty_last_is_put_on_duty_again(lines, supervisor):
    gleb, zoya = characters.operator("Gleb"), characters.operator("Zoya")
    source = characters.source(roster={gleb: 10, zoya: 90})
    off_duty(zoya, gleb)
    contact = characters.contact(source)
    text, label = remedy(lines, source)
    assert (text, label) == ("Nobody on the roster is on duty.", "Put Gleb on duty")
    found = lines()[0].trouble.remedy
    assert supervisor.post(found.url, found.sends).status_code == 204
    contact.refresh_from_db()
    assert contact.operator == gleb
    assert lines()[0].trouble is None


def test_who_is_planned_next_is_put_on_duty_before_others(lines):
    gleb, zoya = characters.operator("Gleb"), characters.operator("Zoya")
    source = characters.source(roster={gleb: 10, zoya: 10})
    soon = timezone.now() + timedelta(hours=1)
    shift = {"weekday": soon.isoweekday(), "from": f"{soon:%H}:00", "to": f"{soon:%H}:59"}
    duty_edges.set_schedule(operator_id=zoya.pk, time_zone="UTC", shifts=[shift])
    off_duty(zoya, gleb)
    assert remedy(lines, source)[1] == "Put Zoya on duty"


def test_who_is_absent_is_not_put_on_duty(lines):
    gleb, zoya = characters.operator("Gleb"), characters.operator("Zoya")
    source = characters.source(roster={gleb: 10, zoya: 10})
    off_duty(zoya)
    now = timezone.now()
    duty_edges.add_absence(operator_id=gleb.pk, start=now - timedelta(hours=1), end=now + timedelta(days=1))
    assert remedy(lines, source)[1] == "Put Zoya on duty"


def test_of_people_who_are_all_on_a_break_the_first_is_called_back(lines, supervisor):
    gleb = characters.operator("Gleb")
    source = characters.source(roster={gleb: 10})
    duty_edges.pause_operator(operator_id=gleb.pk, minutes=30)
    assert remedy(lines, source)[1] == "End the pause of Gleb"
    found = lines()[0].trouble.remedy
    assert supervisor.post(found.url, found.sends).status_code == 204
    assert Operator.objects.get().is_active


def test_the_limit_of_the_highest_weight_is_raised(lines, supervisor):
    gleb, zoya = characters.operator("Gleb", limit=1), characters.operator("Zoya", limit=1)
    source = characters.source(roster={gleb: 10, zoya: 20})
    for _ in range(3):
        characters.contact(source)
    assert remedy(lines, source) == ("Everybody on duty is at the limit.", "Raise the limit of Zoya to 2")
    found = lines()[0].trouble.remedy
    assert supervisor.post(found.url, found.sends).status_code == 204
    assert not Contact.objects.waiting().exists()


def test_a_limit_below_the_load_is_raised_above_the_load(lines):
    zoya = characters.operator("Zoya", limit=10)
    source = characters.source(roster={zoya: 20})
    for _ in range(10):
        characters.contact(source)
    operator_actions.change_operator(operator_id=zoya.pk, changes={"max_load": 2})
    assert remedy(lines, source)[1] == "Raise the limit of Zoya to 12"


def test_where_no_limit_can_be_raised_somebody_is_put_on_duty(lines):
    full = characters.operator("Anna", limit=100, current_load=100)
    gleb = characters.operator("Gleb", is_active=False)
    source = characters.source(roster={full: 10, gleb: 10})
    assert remedy(lines, source)[1] == "Put Gleb on duty"


def test_caps_lead_to_who_has_one(lines):
    capped = characters.operator("Anna", max_per_hour=1)
    source = characters.source(roster={capped: 10})
    characters.contact(source)
    text, label = remedy(lines, source)
    assert (text, label) == ("Everybody on duty had enough for this hour or day.", "Change how much Anna gets…")


def test_outside_opening_hours_waiting_is_no_fault(lines):
    source = characters.source(roster={characters.operator(): 10})
    later = timezone.now() + timedelta(hours=2)
    shift = {"weekday": later.isoweekday(), "from": f"{later:%H}:00", "to": f"{later:%H}:59"}
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=[shift])
    assert lines()[0].trouble is None
    characters.contact(source)
    assert not lines()[0].is_urgent
    assert remedy(lines, source)[1] == "Opening hours…"


def test_what_nobody_reacted_to_is_shown(lines, supervisor):
    source = characters.source(roster={characters.operator(): 10})
    contact = characters.contact(source)
    Contact.objects.filter(pk=contact.pk).update(operator=None, waiting_reason=Contact.Waiting.NOBODY_REACTED)
    assert remedy(lines, source) == ("Nobody has reacted to the first in the queue.", "Show the contacts")
    assert contact in supervisor.get(lines()[0].trouble.remedy.url).context["cl"].result_list


def test_archived_sources_and_operators_are_not_shown(lines, operators):
    source_actions.archive_source(source_id=characters.source().pk)
    operator_actions.archive_operator(operator_id=characters.operator().pk)
    assert (lines(), operators()) == ([], [])


def test_more_sources_than_fit_are_counted(supervisor, monkeypatch):
    monkeypatch.setattr("routing.admin.now.sources.SHOWN", 1)
    for _ in range(3):
        characters.source()
    assert "And 2 more." in supervisor.get("/admin/").text
    assert Source.objects.count() == 3
