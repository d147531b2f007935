"""Take, resolve, reopen, give back and note: the buttons of a card. Each acts at once, on own contacts."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin.forms import TrimmedField
from core.admin.verbs import WORDS, acting_user
from core.errors import Conflict, Refusal
from operators.models import Operator
from routing import lifecycle, notes, taking
from routing.admin.desk import answers
from routing.admin.desk.access import find_known, for_operators, for_presses
from routing.admin.desk.dialog import answer_dialog
from routing.models import LONGEST_NOTE, Contact

LONGEST_NAME = 40  # characters of a client's name in a toast

Act = Callable[[Contact], HttpResponse]


def short_name(contact: Contact) -> str:
    return Truncator(str(contact.lead)).chars(LONGEST_NAME)


def press(operator: Operator, contact_id: int, act: Act) -> HttpResponse:
    """Acts on a contact that the operator has or has had: who comes too late is told who has it now."""
    contact = find_known(operator, contact_id)
    if contact is None:
        return answers.not_done(str(WORDS["not_found"]))
    try:
        return act(contact)
    except Refusal as refusal:
        return answers.refused(refusal)


@for_presses
def take_view(request: HttpRequest, operator: Operator, contact_id: int) -> HttpResponse:
    def take(contact: Contact) -> HttpResponse:
        by = acting_user(request)
        taking.accept_contact(contact_id=contact.pk, by=by, expected_operator_id=operator.pk)
        return answers.done(_("Taken: %(client)s.") % {"client": short_name(contact)})

    return press(operator, contact_id, take)


@for_presses
def resolve_view(request: HttpRequest, operator: Operator, contact_id: int) -> HttpResponse:
    def resolve(contact: Contact) -> HttpResponse:
        by = acting_user(request)
        lifecycle.resolve_contact(contact_id=contact.pk, by=by, expected_operator_id=operator.pk)
        undo = "" if contact.is_resolved else reverse("my_contact_reopen", args=[contact.pk])
        return answers.done(_("Resolved: %(client)s.") % {"client": short_name(contact)}, undo_url=undo)

    return press(operator, contact_id, resolve)


@for_presses
def reopen_view(request: HttpRequest, operator: Operator, contact_id: int) -> HttpResponse:
    def reopen(contact: Contact) -> HttpResponse:
        if contact.operator_id != operator.pk:
            raise Conflict("taken_away", lifecycle.where_it_is(contact.operator))
        opened = lifecycle.reopen_contact(contact_id=contact.pk, by=acting_user(request))
        return answers.done(reopened_text(contact, opened, operator))

    return press(operator, contact_id, reopen)


def reopened_text(contact: Contact, opened: Contact, operator: Operator) -> str:
    found = {"client": short_name(contact), "name": opened.operator}
    if opened.operator_id is None:
        return _("Open again: %(client)s. It waits in the queue, because you are not free.") % found
    if opened.operator_id != operator.pk:
        return _("Open again: %(client)s. %(name)s has it now, because you were not free.") % found
    return _("Open again: %(client)s.") % found


class GiveBackForm(forms.Form):
    reason = TrimmedField(
        label=gettext_lazy("Why?"),
        required=False,
        max_length=taking.LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget({"autofocus": True, "autocomplete": "off"}),
        help_text=gettext_lazy("For your supervisor; you may leave it empty."),
    )


@for_operators
def give_back_view(request: HttpRequest, operator: Operator, contact_id: int) -> HttpResponse:
    def give_back(form: GiveBackForm) -> HttpResponse:
        given = taking.decline_contact(
            contact_id=contact.pk,
            reason=form.cleaned_data["reason"],
            by=acting_user(request),
            expected_operator_id=operator.pk,
        )
        found = {"client": short_name(contact), "name": given.operator}
        if given.operator_id is None:
            return answers.done(_("Given back: %(client)s. It waits in the queue.") % found)
        return answers.done(_("Given back: %(client)s. %(name)s has it now.") % found)

    contact = find_for_dialog(operator, contact_id)
    words = {
        "title": _("Give this contact back?"),
        "text": _("It goes to a colleague who has not had it. If nobody is free, it waits."),
        "submit": _("Give back"),
        "client": contact.lead,
    }
    return answer_dialog(request, GiveBackForm, give_back, words)


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONGEST_NOTE,
        widget=UnfoldAdminTextareaWidget({"autofocus": True, "autocomplete": "off", "rows": 4}),
        help_text=gettext_lazy("Your supervisors see it too, and whoever gets this contact after you."),
    )


@for_operators
def note_view(request: HttpRequest, operator: Operator, contact_id: int) -> HttpResponse:
    def add(form: NoteForm) -> HttpResponse:
        present = find_for_dialog(operator, contact_id)
        if present.operator_id != operator.pk:
            raise Conflict("taken_away", lifecycle.where_it_is(present.operator))
        notes.add_note(present.pk, form.cleaned_data["text"], acting_user(request))
        return answers.done(_("The note was added."))

    contact = find_for_dialog(operator, contact_id)
    words = {"title": _("Add a note"), "submit": _("Save"), "client": contact.lead}
    return answer_dialog(request, NoteForm, add, words)


def find_for_dialog(operator: Operator, contact_id: int) -> Contact:
    contact = find_known(operator, contact_id)
    if contact is None:
        raise PermissionDenied
    return contact
