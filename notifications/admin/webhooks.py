"""Pages of webhooks and of their deliveries. A secret is shown once, on the page that answers its creation."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSplitDateTimeWidget

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.forms import ChangesOnly, TrimmedField
from core.admin.verbs import VerbAction, VerbAdmin, acting_author, refusal_text
from core.errors import Invalid, Refusal
from notifications import feed
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import actions
from notifications.webhooks.addresses import read_url
from notifications.webhooks.answers import Answer
from routing.models import Source

SHOWN = 60  # characters of an address in lists
COLOURS = {
    Delivery.Status.PENDING: "info",
    Delivery.Status.DELIVERED: "success",
    Delivery.Status.FAILED: "danger",
}


class WebhookForm(ChangesOnly):
    types = forms.MultipleChoiceField(
        label=_("Types of events"),
        required=False,
        choices=[(name, name) for name in feed.TYPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: all."),
    )

    class Meta(ChangesOnly.Meta):
        field_classes = ChangesOnly.Meta.field_classes | {"url": TrimmedField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields:
            self.fields["source"].queryset = Source.objects.current().order_by("name")  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        try:
            return read_url(self.cleaned_data["url"])
        except Invalid as refusal:
            raise forms.ValidationError(refusal.detail) from refusal

    def clean_types(self) -> list[str] | None:
        return self.cleaned_data["types"] or None

    def fields_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """As the functions of the domain name them."""
        source = {"source_id": getattr(values["source"], "pk", values["source"])} if "source" in values else {}
        return {name: value for name, value in values.items() if name != "source"} | source


class ReplayForm(forms.Form):
    since = forms.SplitDateTimeField(
        label=_("Everything since"),
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("In your time zone. Receivers recognise what they had before by its id."),
    )


def deleted(count: int) -> str:
    return ngettext("%(count)d webhook was deleted.", "%(count)d webhooks were deleted.", count) % {"count": count}


def sent_again(count: int) -> str:
    return ngettext("%(count)d delivery is sent again.", "%(count)d deliveries are sent again.", count) % {
        "count": count
    }


def answer_text(answer: Answer) -> str:
    """What came back, in a sentence."""
    what = str(answer.status or formatting.NOTHING)
    if answer.error:
        what = gettext("%(error)s (status: %(status)s)") % {"error": answer.error.label, "status": what}
    words = gettext("Answered after %(duration)d ms: %(what)s.") % {"duration": answer.duration_ms, "what": what}
    return f"{words} {answer.text}".strip()


@admin.register(Webhook)
class WebhookAdmin(VerbAdmin):
    form = WebhookForm
    add_title = _("Add a webhook")
    list_display = ["address", "kinds", "source", "badge", "created_at"]
    list_display_links = ["address"]
    list_select_related = ["source"]
    search_fields = ["url"]
    ordering = ["pk"]
    actions = ["remove_selected"]
    actions_detail = ["deliveries_this", "test_this", "replay_this", "rotate_this", "remove_this"]

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> list[Any]:
        types = "types" if self.has_change_permission(request, obj) else "kinds"
        changeable = ["url", types, "source", "with_message"]
        return [*changeable, "is_active", "state", "failing_since", "created_at"] if obj else changeable

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> list[Any]:
        return ["kinds", "state", "failing_since", "created_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: Webhook, form: WebhookForm, change: bool) -> None:
        author = acting_author(request)
        if change:
            changes, seen = form.fields_of(form.changes), form.fields_of(form.seen)
            actions.change_webhook(webhook_id=obj.pk, changes=changes, seen=seen, author=author)
            return
        made = actions.create_webhook(**form.fields_of(form.cleaned_data), author=author)
        obj.pk, obj.secret = made.pk, made.secret

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        return self.show_once(request, obj.pk, gettext("New webhook"), obj.secret)

    @action(description=_("Deliveries"), permissions=["view"], icon="list")
    def deliveries_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        listing = reverse("admin:notifications_delivery_changelist")
        return HttpResponseRedirect(f"{listing}?webhook__id__exact={int(object_id)}")

    @VerbAction(
        button=_("Send a test"),
        permission="change",
        icon="send",
        title=_("Send a test?"),
        description=_("An event webhook.test is sent now, and you see what comes back."),
        submit=_("Send"),
    )
    def test(self, request: HttpRequest, chosen: Iterable[Webhook]) -> None:
        for webhook in chosen:
            answer = actions.send_test(webhook_id=webhook.pk)
            level = messages.SUCCESS if answer.is_accepted else messages.ERROR
            self.message_user(request, answer_text(answer), level)

    @action(description=_("Send again"), permissions=["change"], icon="replay")
    def replay_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on a page of its own since when."""
        webhook = self.found(request, object_id)
        form = ReplayForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            since = form.cleaned_data["since"]
            try:
                actions.replay_events(webhook_id=webhook.pk, after=feed.cursor_at(since), since=since)
                self.message_user(request, gettext("The events are sent again, as fast as is good for the receiver."))
            except Refusal as refusal:
                self.message_user(request, refusal_text(refusal), messages.ERROR)
            return HttpResponseRedirect(self.page_url(webhook.pk))
        page = {"title": _("Send events again"), "button": _("Send again"), "form": form}
        return self.render_page(request, "access/key_form.html", page | {"back": self.page_url(webhook.pk)})

    @action(description=_("New secret"), permissions=["change"], icon="autorenew")
    def rotate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on a page of its own, because its answer is the page that shows the new secret."""
        webhook = self.found(request, object_id)
        if request.method == "POST":
            new = actions.rotate_secret(webhook_id=webhook.pk, author=acting_author(request))
            return self.show_once(request, webhook.pk, gettext("New secret"), new.secret)
        page = {"title": _("Make a new secret? The present one stays valid for 24 hours."), "form": forms.Form()}
        page |= {"button": _("Make a new secret"), "back": self.page_url(webhook.pk)}
        return self.render_page(request, "access/key_form.html", page)

    @VerbAction(
        button=_("Delete"),
        permission="delete_webhook",
        icon="delete",
        variant=ActionVariant.DANGER,
        title=_("Delete this webhook?"),
        description=_("Nothing is sent there any more, and the list of its deliveries is gone."),
        submit=_("Delete"),
    )
    def remove(self, request: HttpRequest, chosen: Iterable[Webhook]) -> HttpResponse | None:
        author = acting_author(request)
        self.for_each(request, chosen, lambda pk: actions.delete_webhook(webhook_id=pk, author=author), deleted)
        return None

    def has_delete_webhook_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("notifications.delete_webhook")

    def found(self, request: HttpRequest, object_id: str) -> Webhook:
        webhook: Webhook | None = self.get_object(request, object_id)
        if webhook is None:
            raise Http404
        return webhook

    @sensitive_variables("secret")
    def show_once(self, request: HttpRequest, webhook_id: int, title: str, secret: str) -> HttpResponse:
        """On the answer itself: a message would be stored in a cookie."""
        text = gettext("The secret of this webhook, by which its receiver verifies signatures. It is shown only once.")
        page = {"title": title, "text": text, "secret": secret, "back": self.page_url(webhook_id)}
        return self.render_page(request, "messenger/shown_once.html", page)

    def page_url(self, webhook_id: int) -> str:
        return reverse("admin:notifications_webhook_change", args=[webhook_id])

    @display(description=_("address"), ordering="url")
    def address(self, webhook: Webhook) -> str:
        return Truncator(webhook.url).chars(SHOWN)

    @display(description=_("events"))
    def kinds(self, webhook: Webhook) -> str:
        types = webhook.types or []
        return formatting.first_few(types[: formatting.SHOWN], count=len(types)) if types else gettext("all")

    @display(description=_("state"), label={"on": "success", "failing": "warning", "off": "danger"})
    def badge(self, webhook: Webhook) -> tuple[str, str]:
        if not webhook.is_active:
            return "off", gettext("off")
        return ("failing", gettext("failing")) if webhook.failing_since else ("on", gettext("on"))

    @display(description=_("state"))
    def state(self, webhook: Webhook) -> str:
        words = self.badge(webhook)[1]
        reason = webhook.get_disabled_reason_display() if webhook.disabled_reason else None
        return f"{words}: {reason}" if reason else words


class StatusFilter(ChoiceFilter):
    title = pgettext_lazy("delivery", "status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return list(Delivery.Status.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.with_status(Delivery.Status(self.value())) if self.value() else queryset


class AttemptInline(TabularInline):
    model = Attempt
    fields = ["at", "status", "duration_ms", "error", "answer"]
    readonly_fields = fields
    ordering = ["at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.view_delivery")


@admin.register(Delivery)
class DeliveryAdmin(VerbAdmin):
    """What was sent to whom, with each attempt and its answer."""

    list_display = ["created_at", "event", "webhook_address", "contact_id", "badge", "attempts"]
    list_display_links = ["event"]
    list_filter = [("webhook", AutocompleteSelectFilter), StatusFilter]
    list_select_related = ["webhook"]
    fields = ["event", "webhook_address", "contact_id", "badge", "attempts", "next_at", "delivered_at", "created_at"]
    readonly_fields = fields  # type: ignore[assignment] # the stubs allow no tuples in the one, but in the other
    inlines = [AttemptInline]
    ordering = ["-pk"]
    actions = ["repeat_selected"]
    actions_detail = ["repeat_this"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_repeat_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @VerbAction(
        button=_("Send again"),
        permission="repeat",
        icon="replay",
        title=_("Send it again?"),
        description=_("With the same id, by which the receiver recognises what it had before."),
        submit=_("Send again"),
    )
    def repeat(self, request: HttpRequest, chosen: Iterable[Delivery]) -> None:
        webhooks = {delivery.pk: delivery.webhook_id for delivery in chosen}
        rows = Delivery.objects.filter(pk__in=webhooks)
        self.for_each(
            request, rows, lambda pk: actions.replay_delivery(webhook_id=webhooks[pk], delivery_id=pk), sent_again
        )

    @display(description=_("event"), ordering="pk")
    def event(self, delivery: Delivery) -> str:
        return f"{delivery.type} ({delivery.message_id})"

    @display(description=_("webhook"))
    def webhook_address(self, delivery: Delivery) -> str | SafeString:
        return formatting.change_page_link(delivery.webhook, Truncator(delivery.webhook.url).chars(SHOWN))

    @display(description=pgettext_lazy("delivery", "status"), label=COLOURS)
    def badge(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.status, str(delivery.status.label)
