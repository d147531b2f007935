"""The contacts of a report as a file, one row each, with the data of their clients."""

import logging

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from core import spreadsheets
from core.db import replica
from core.errors import Refusal
from leads import contact_rows
from routing.admin.report_asked import read_asked
from routing.admin.report_page import reports_page

log = logging.getLogger(__name__)


@permission_required(["routing.view_contact", "leads.view_lead"], raise_exception=True)
def contacts_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The contacts registered in the period of the report. Who has downloaded how many is in the log."""
    try:
        asked = read_asked(request.GET)
        question = asked.question()
    except Refusal:
        return reports_page(request)  # which says what is wrong
    contacts = contact_rows.contacts_of(
        since=question.since, until=question.until, source_id=question.source_id, operator_id=question.operator_id
    )
    count = replica.read(contacts.count)
    if kind == spreadsheets.XLSX and count > spreadsheets.MOST_ROWS:
        sentence = _("A file of Excel has room for %(most)s contacts. Choose a shorter period, or CSV.")
        messages.error(request, sentence % {"most": number_format(spreadsheets.MOST_ROWS, force_grouping=True)})
        return redirect(f"{reverse('reports')}?{asked.query()}")
    log.info("%s contacts were exported by %s", count, f"user {request.user.pk}")
    name = f"contacts-{asked.first}-{asked.last}"
    return spreadsheets.file_response(contact_rows.contact_table(contacts), kind=kind, name=name)
