"""The base of every admin page: changes call domain functions, and refusals become messages."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from core.admin.own_history import OwnHistory
from core.admin.own_pages import OwnPages
from core.admin.titles import PlainTitles
from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Refusal

WORDS = {
    "busy": _("Too many changes at the same time. Nothing was changed; please try again."),
    "changed_since": _("It was changed again since. Nothing was reverted; please look at it again."),
    "changed_meanwhile": _("Somebody else was faster. Nothing was saved; please look at it again."),
    "erased": _("This person's data was erased and cannot be changed."),
    "external_ref_taken": _("Another operator has this id in other systems."),
    "identity_taken": _("This phone or e-mail belongs to another lead. See “Possible duplicates”."),
    "last_identity": _("A lead needs a phone, an e-mail or an id in a channel."),
    "name_taken": _("A source with this name already exists."),
    "nobody_else_free": _("No other operator is free. The contact stays where it is."),
    "not_found": _("It no longer exists, or is archived."),
    "not_revertible": _("A change of this kind cannot be reverted."),
    "not_merged": _("It is not merged with another lead."),
    "operator_full": _("This operator is at the limit. The contact stays where it is."),
    "operator_inactive": _("This operator is off duty. The contact stays where it is."),
    "resolved": _("It is resolved. Reopen it first."),
    "same_lead": _("A lead cannot be merged with itself."),
    "shared_by_others": _("Other leads have it too. Merge them into this lead, or detach it there first."),
    "waiting": _("It waits in the queue: nobody has it."),
    "survivor_merged": _("The remaining lead has been merged with another one. Undo that merge first."),
}

CLOSED = _("It was archived, merged or erased while the page was open. Nothing was saved.")

Done = Callable[[int], str]  # returns the message for this number of rows


def refusal_text(refusal: Refusal) -> str:
    """The message for a refusal, in the user's language."""
    return str(WORDS.get(refusal.code, refusal.detail))


def acting_user(request: HttpRequest) -> str:
    """The user's name for the history."""
    return f"user {request.user.get_username()}"


def acting_author(request: HttpRequest) -> Author:
    """The user as the author of a change of configuration."""
    return Author(acting_user(request), Via.PAGE)


class VerbAction:
    """Makes two actions of one method of a ModelAdmin, which gets the request and the rows to act on.

    From a method `resolve`: `resolve_selected` for `actions`, the menu of the list, and `resolve_this` for
    `actions_detail`, a button on the page of one row, which opens a dialog to confirm.
    """

    def __init__(
        self,
        *,
        button: Any,
        permission: str,
        title: Any,
        description: Any,
        submit: Any,
        menu: Any = None,
        icon: str | None = None,
        variant: ActionVariant = ActionVariant.DEFAULT,
        form: type[BaseDialogForm] = BaseDialogForm,
    ) -> None:
        """`button` and `menu` are the labels, which are usually equal; the other texts are for the dialog.

        `form`: of the dialog, if it shows more than these texts.
        """
        dialog = {"title": title, "description": description, "form_submit_text": submit, "form_class": form}
        self.selected = action(description=menu or button, permissions=[permission])
        self.this = action(description=button, permissions=[permission], icon=icon, variant=variant, dialog=dialog)

    def __call__(self, method: Callable[[Any, HttpRequest, Iterable[Any]], object]) -> "VerbAction":
        self.method = method
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        def call_for_selected(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
            self.method(model_admin, request, queryset)

        def call_for_this(model_admin: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
            instance = model_admin.get_object(request, object_id)
            self.method(model_admin, request, [instance] if instance else [])
            return refresh_page()

        stem = name.rstrip("_")  # a verb that is a Python keyword ends in "_"
        call_for_selected.__name__, call_for_this.__name__ = f"{stem}_selected", f"{stem}_this"
        setattr(owner, f"{stem}_selected", self.selected(call_for_selected))
        setattr(owner, f"{stem}_this", self.this(call_for_this))


def refresh_page() -> HttpResponse:
    """Closes a dialog by reloading the page behind it."""
    return HttpResponse(headers={"HX-Refresh": "true"})


class WithoutTransaction(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """Calls views without Django's transaction, because domain functions commit their own and then check the queue."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]


class VerbAdmin(OwnHistory, PlainTitles, OwnPages, ModelAdmin, WithoutTransaction):
    """Admin pages without deletion and facet counts, on which a refusal becomes a message."""

    list_disable_select_all = True  # an action applies only to the rows of the visible page
    list_filter_submit = True
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    warn_unsaved_form = True

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Removes "2 results (5 total)", because the total would count the archive.

        Refuses filters with NUL, which PostgreSQL compares with nothing.
        """
        if any("\x00" in value for name, value in request.GET.items() if name != SEARCH_VAR):
            raise IncorrectLookupParameters
        changelist: ChangeList = super().get_changelist_instance(request)
        changelist.full_result_count = changelist.result_count
        return changelist

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and object_id and self.is_closed(request, object_id):
            self.message_user(request, CLOSED, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            self.message_user(request, refusal_text(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def is_closed(self, request: HttpRequest, object_id: str) -> bool:
        """Whether the user may change objects of this kind and view this one, but nobody may change it any more."""
        instance = self.get_object(request, unquote(object_id))
        return bool(
            instance
            and self.has_change_permission(request)
            and not self.has_change_permission(request, instance)
            and self.has_view_permission(request, instance)
        )

    def for_each(
        self,
        request: HttpRequest,
        instances: Iterable[models.Model],
        verb: Callable[[int], object],
        done: Done,
        became: Callable[[int], Done] | None = None,
    ) -> None:
        """Calls the function with the key of each instance; shows messages: `done` with the count, and each refusal.

        `became` chooses another message if the outcome may have changed since, such as after a drain of the queue.
        """
        counts: Counter[Done] = Counter()
        for instance in instances:
            if self.run_verb(request, instance, partial(verb, instance.pk)):
                words = became(instance.pk) if became else done
                counts[words] += 1
        for words, count in counts.items():
            self.message_user(request, words(count), messages.SUCCESS)

    def run_verb(self, request: HttpRequest, instance: object, call: Callable[[], object]) -> bool:
        """Returns whether the call succeeded; a refusal becomes a message."""
        try:
            call()
        except Refusal as refusal:
            self.message_user(request, f"{instance}. {refusal_text(refusal)}", messages.ERROR)
            return False
        return True

    def from_dialog(
        self,
        request: HttpRequest,
        object_id: str,
        verb: Callable[[int], object],
        done: Done,
        became: Callable[[int], Done] | None = None,
    ) -> HttpResponse:
        """Calls the verb for one object, from a dialog with its own form; shows messages like `for_each`."""
        instance = self.get_object(request, object_id)
        if instance:
            self.for_each(request, [instance], verb, done, became)
        return refresh_page()
