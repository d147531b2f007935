"""The tabs above the list of clients."""

import pytest
from django.contrib.auth.models import Permission, User

from leads.models import PossibleDuplicate
from tests import characters

LEADS, DUPLICATES = "/admin/leads/lead/", "/admin/leads/possibleduplicate/"


@pytest.fixture
def pair(db):
    bot = characters.source()
    one, other = characters.contact(bot).lead, characters.contact(bot).lead
    return PossibleDuplicate.objects.create(lead=one, other=other)


def tabs(client, url):
    return [(tab["label"], tab["count"], tab["is_chosen"]) for tab in client.get(url).context["client_tabs"]]


def test_duplicates_are_a_tab_of_the_clients_with_their_number(supervisor, pair):
    assert tabs(supervisor, LEADS) == [("Leads", "", True), ("Possible duplicates", "1", False)]
    assert tabs(supervisor, DUPLICATES) == [("Leads", "", False), ("Possible duplicates", "1", True)]


def test_decided_pairs_are_not_counted(supervisor, pair):
    supervisor.post(f"{DUPLICATES}{pair.pk}/dismiss_this/", {"_form_submitted": "True"})
    assert tabs(supervisor, LEADS)[1][1] == "0"


def test_a_tab_that_one_may_not_open_is_not_shown(client, pair):
    olga = User.objects.create_user("olga", is_staff=True)
    olga.user_permissions.add(Permission.objects.get(codename="view_lead"))
    client.force_login(olga)
    assert tabs(client, LEADS) == []
