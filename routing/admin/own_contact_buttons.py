"""The buttons on the page of a contact with which its operator takes, declines and finishes it: one press each."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import formatting
from core.admin.verbs import WORDS, VerbAdmin, acting_user
from core.ids import is_id
from routing import lifecycle, own_contacts, taking
from routing.models import Contact

FORM = "own-contact"  # the id of the form, elsewhere on the page, which the buttons send


class DeclineForm(BaseDialogForm):
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        required=False,
        max_length=taking.LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For your supervisor; you may leave it empty."),
    )


def buttons_for(contact: Contact) -> SafeString | str:
    """Buttons for a contact of the user's operator; none if it is resolved."""
    if contact.is_resolved:
        return ""
    take = [press_button(contact, "take", gettext("Take"))] if contact.is_untaken else []
    decline = reverse("admin:routing_contact_decline_this", args=[contact.pk])
    give_back = formatting.dialog_link(decline, gettext("Give back…"))
    shown = [*take, press_button(contact, "done", gettext("Resolve")), give_back]
    return format_html('<div class="buttons own">{}</div>', format_html_join("", "{}", ((one,) for one in shown)))


def press_button(contact: Contact, name: str, label: str) -> SafeString:
    url = reverse(f"admin:routing_contact_{name}", args=[contact.pk])
    return format_html(
        '<button type="submit" form="{}" formaction="{}" class="ask {}">{}</button>',
        FORM,
        url,
        name,
        label,
    )


def for_those_who_answer(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of a button: refuses others, also before it refuses a link."""

    def answer(request: HttpRequest, pk: int) -> HttpResponse:
        if not own_contacts.answers_contacts(request.user):
            raise PermissionDenied
        return require_POST(view)(request, pk)

    return answer


class OwnContactButtons(VerbAdmin):
    """The base of the page of contacts."""

    change_form_outer_before_template = "routing/own_contact_buttons.html"

    def has_answer_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return own_contacts.answers_contacts(request.user)

    def get_urls(self) -> list[URLPattern]:
        views = {"take": self.take_view, "done": self.done_view}
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(for_those_who_answer(view)),
                name=f"routing_contact_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.run_for_own(request, pk, taking.accept_contact, gettext("You have taken contact %(id)s."))
        return redirect(self.page_after(request, pk))

    def done_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.run_for_own(request, pk, lifecycle.resolve_contact, gettext("Contact %(id)s is resolved."))
        return redirect(self.page_after(request, pk))

    @action(
        description=gettext_lazy("Give back…"),
        permissions=["answer"],
        dialog={
            "title": gettext_lazy("Give this contact back?"),
            "description": gettext_lazy("It goes to a colleague who has not had it. If nobody is free, it waits."),
            "form_class": DeclineForm,
            "form_submit_text": gettext_lazy("Give back"),
        },
    )
    def decline_this(self, request: HttpRequest, form: DeclineForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        if is_id(object_id):
            self.run_for_own(
                request,
                int(object_id),
                lambda **asked: taking.decline_contact(reason=reason, **asked),
                gettext("You have given contact %(id)s back."),
            )
        return HttpResponse(headers={"HX-Redirect": own_contacts.own_contacts_url()})

    def run_for_own(self, request: HttpRequest, pk: int, verb: Callable[..., object], done: str) -> None:
        """Calls the verb for a contact that the user's operator has, or has had: who comes too late is told who has it
        now. Others learn nothing of it."""
        operator = own_contacts.own_operator(request.user)
        contact = Contact.objects.filter(pk=pk).defer("message").first()
        if operator is None or contact is None or operator.pk not in contact.holder_ids:
            self.message_user(request, WORDS["not_found"], messages.ERROR)
            return
        asked = {"contact_id": pk, "by": acting_user(request), "expected_operator_id": operator.pk}
        if self.run_verb(request, contact, lambda: verb(**asked)):
            self.message_user(request, done % {"id": pk}, messages.SUCCESS)

    def page_after(self, request: HttpRequest, pk: int) -> str:
        """The page of the contact, unless somebody else has it now."""
        if self.get_queryset(request).filter(pk=pk).exists():
            return reverse("admin:routing_contact_change", args=[pk])
        return own_contacts.own_contacts_url()
