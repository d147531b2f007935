"""Addresses that no page of ours links to: answered without an incident, and without a traceback in the log."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.urls import reverse

from notifications.messenger.models import Channel
from operators.models import Operator
from routing.models import Contact, Source
from tests import characters
from tests.admin import pages

HUGE = ["9223372036854775807", "9223372036854775808", "99999999999999999999", "9" * 400, "-99999999999999999999"]
ODD = [*HUGE, "", "x", "1.5", "1e400", "NaN", "-1", "None", "%00", "%ED%A0%80", "[]", "a" * 5000]
FILTERS = {  # of each list: what its filters and columns are called in an address
    "routing_contact": ["source__id__exact", "operator__id__exact", "status", "id__exact", "source", "lead__id__exact"],
    "routing_source": ["archive", "id__exact", "roster__operator__id__exact"],
    "operators_operator": ["rosters__source__id__exact", "is_active__exact", "archive", "id__exact"],
    "leads_lead": ["standing", "id__exact"],
    "leads_possibleduplicate": ["decision", "lead__id__exact"],
    "access_apikey": ["state", "source__id__exact"],
    "changes_change": ["operator", "source", "by", "subject", "id__exact"],
    "notifications_webhook": ["is_active__exact", "id__exact"],
    "notifications_delivery": ["status__exact", "webhook__id__exact", "id__exact"],
    "messenger_channel": ["operator__id__exact", "id__exact"],
    "messenger_notice": ["state", "state__exact", "channel__operator__id__exact", "id__exact"],
    "messenger_alarm": ["kind", "kind__exact", "id__exact"],
    "auth_user": ["groups__id__exact", "is_active__exact"],
}
# What PostgreSQL can judge otherwise than SQLite: the largest number, one too large for any column, a letter
# in place of a number, and bytes that no text may have. The others are read alike on both, and tried on SQLite.
JUDGED = [HUGE[0], "99999999999999999999", "x", "%00", "%ED%A0%80"]
ANYWHERE = ["p", "id__in", "pk", "nonsense"]
FOR_THE_PAGE = ["o", "all", "_to_field", "_popup", "_changelist_filters", "e"]  # no value of a query


@pytest.fixture
def quiet(supervisor, caplog):
    """The supervisor's browser; fails if anything is logged with a traceback."""
    supervisor.raise_request_exception = False
    anna = characters.operator("Anna")
    characters.contact(characters.source(roster={anna: 10}))
    yield supervisor
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def ask_with_odd_values(quiet, name, parameter, values):
    url = reverse(f"admin:{name}_changelist")
    for value in values:
        status = quiet.get(f"{url}?{parameter}={value}").status_code
        assert status in (200, 302, 400), (parameter, value[:30], status)


def tried(values):
    return values if connection.vendor == "sqlite" else [value for value in values if value in JUDGED]


def turn(name, values=ODD):
    """Of the values for what every list reads alike: so that each is tried on a list, and no list with all."""
    return values[list(FILTERS).index(name) :: len(FILTERS)]


@pytest.mark.both
@pytest.mark.parametrize("name", FILTERS)
def test_no_value_of_a_filter_is_an_incident(quiet, name):
    for parameter in FILTERS[name]:
        is_plain = parameter.endswith("__exact")  # Django reads it, and no filter of ours
        ask_with_odd_values(quiet, name, parameter, tried({*JUDGED, *turn(name)} if is_plain else ODD))
    for parameter in ANYWHERE:
        ask_with_odd_values(quiet, name, parameter, tried(turn(name)))
    ask_with_odd_values(quiet, name, "q", tried({*JUDGED, *turn(name)}))


@pytest.mark.parametrize("name", FILTERS)
def test_no_value_of_what_the_page_reads_itself_is_an_incident(quiet, name):
    for parameter in FOR_THE_PAGE:
        ask_with_odd_values(quiet, name, parameter, turn(name))


def test_every_list_is_tried():
    lists = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert lists - {"auth_group"} == set(FILTERS)


@pytest.mark.both
@pytest.mark.parametrize("name", FILTERS)
def test_no_id_in_a_path_is_an_incident(quiet, name):
    for value in tried(list(dict.fromkeys([HUGE[0], "x", *turn(name, [*HUGE, "1.5", "-1", "None"])]))):
        for place in ("change", "delete", "history"):
            status = quiet.get(f"{reverse(f'admin:{name}_changelist')}{value}/{place}/").status_code
            assert status in (302, 403, 404), (value[:30], place, status)


@pytest.mark.both
def test_no_id_that_is_selected_is_an_incident(quiet):
    for action in ("resolve_selected", "archive_selected", "nonsense"):
        for model in (Contact, Source):
            sent = {"action": action, "_selected_action": HUGE, "index": "0"}
            assert quiet.post(pages.listing(model), sent).status_code in (200, 302)


@pytest.mark.both
@pytest.mark.parametrize("number", ["9" * 12, "9" * 5000, "-1", "x", ""], ids=["large", "long", "negative", "x", ""])
def test_no_number_of_rows_is_an_incident(quiet, number):
    sent = {"form-TOTAL_FORMS": number, "form-INITIAL_FORMS": number, "form-0-id": number, "_save": "Save"}
    assert quiet.post(pages.listing(Operator), sent).status_code in (200, 302)
    roster = [f"roster-{name}" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "0-id", "0-operator", f"{number}-id")]
    page = pages.page(Source.objects.get())
    form = urlencode(pages.filled(quiet.get(page)) | dict.fromkeys(roster, number))
    assert quiet.post(page, form, content_type="application/x-www-form-urlencoded").status_code in (200, 302)


@pytest.mark.both
def test_no_id_in_a_search_of_a_field_is_an_incident(quiet):
    url = reverse("admin:autocomplete")
    for page in ODD:
        found = {"app_label": "routing", "model_name": "contact", "field_name": "source", "page": page, "term": page}
        assert quiet.get(url, found).status_code in (200, 403, 404)


@pytest.mark.parametrize(
    "address",
    [
        "/admin/routing/contact/?lead__identities__value=%2B79991234567",
        "/admin/routing/contact/?_to_field=message",
        "/admin/auth/user/?password__startswith=a",
    ],
)
def test_a_forbidden_look_up_is_a_page_of_its_own_and_no_traceback(quiet, address):
    answer = quiet.get(address, headers={"Accept-Language": "en"})
    assert (answer.status_code, "Bad request" in answer.text) == (400, True)


def test_too_many_fields_are_no_traceback(quiet, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    answer = quiet.post(pages.listing(Contact), {f"field-{number}": "1" for number in range(20)})
    assert answer.status_code == 400


@pytest.mark.both
@pytest.mark.parametrize("name", FILTERS)
def test_no_value_that_an_address_fills_in_is_an_incident(quiet, name):
    url = reverse(f"admin:{name}_add")
    shown = quiet.get(url).context or {}
    fields = list(shown["adminform"].form.fields) if "adminform" in shown else []
    for value in tried(ODD):
        address = f"{url}?{'&'.join(f'{field}={value}' for field in fields)}"
        assert quiet.get(address).status_code in (200, 302, 400, 403, 404), (fields, value[:30])


@pytest.mark.both
def test_no_operator_of_a_channel_is_an_incident(quiet):
    for value in tried(ODD):
        answer = quiet.post(pages.adding(Channel), {"operator": value, "kind": "email", "address": "a@example.com"})
        assert answer.status_code in (200, 302), value[:30]
