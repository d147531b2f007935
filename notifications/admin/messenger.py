"""Pages of channels, of what was sent, and of alarms."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.forms import ChangesOnly, TrimmedField
from core.admin.verbs import VerbAction, VerbAdmin, acting_author, refusal_text
from core.errors import Invalid, Refusal
from core.ids import is_id
from notifications.messenger import channel_addresses, channels, linking
from notifications.messenger.messages import alarm_content
from notifications.messenger.models import Alarm, Channel, Kind, Notice
from notifications.messenger.weekly_report import WEEKLY
from operators.models import Operator

TYPE_WORDS = {
    "contact.registered": _("registered"),
    "contact.assigned": _("new contact"),
    "contact.queued": _("put into the queue"),
    "contact.accepted": _("taken"),
    "contact.declined": _("declined"),
    "contact.timed_out": _("nobody reacted in time"),
    "contact.resolved": _("done"),
    "contact.reopened": _("reopened"),
    "alarm": _("alarm"),
    "alarm.over": _("alarm is over"),
    WEEKLY: _("the report of the last week, each Monday by e-mail"),
}
COLOURS = {
    Notice.State.PENDING: "info",
    Notice.State.SENT: "success",
    Notice.State.FAILED: "danger",
    Notice.State.SKIPPED: "default",
}


class OperatorChoice(AutocompleteSelect):
    """Shows what cannot be an id as nothing chosen: Django would look it up, which is a 500."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if is_id(key)], attr)


class ChannelForm(ChangesOnly):
    types = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=[(name, TYPE_WORDS[name]) for name in (*channels.EVENT_TYPES, WEEKLY)],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: new contacts. Supervisors get alarms, whatever is ticked."),
    )

    class Meta(ChangesOnly.Meta):
        field_classes = ChangesOnly.Meta.field_classes | {"address": TrimmedField}

    def clean_types(self) -> list[str] | None:
        return self.cleaned_data["types"] or None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind = cleaned.get("kind") or self.instance.kind
        if kind and "address" in cleaned:
            try:
                cleaned["address"] = channel_addresses.read_address(Kind(kind), cleaned["address"] or "")
            except Invalid as refusal:
                self.add_error("address", refusal.detail)
        is_of_operator = bool(cleaned.get("operator") or self.instance.operator_id)
        if WEEKLY in (cleaned.get("types") or []) and (is_of_operator or kind != Kind.EMAIL):
            self.add_error("types", _("The weekly report goes to a user's own e-mail only."))
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_to")
        if (begins is None) != (ends is None) or (begins is not None and begins == ends):
            self.add_error("quiet_to", channels.quiet_words())
        return cleaned


def removed(count: int) -> str:
    return ngettext("%(count)d channel was removed.", "%(count)d channels were removed.", count) % {"count": count}


@admin.register(Channel)
class ChannelAdmin(VerbAdmin):
    """Channels of operators, and those of the user who looks."""

    form = ChannelForm
    add_title = _("Add a channel")
    list_display = ["owner", "kind", "address", "quiet_hours", "badge"]
    list_display_links = ["owner"]
    list_filter = [("operator", AutocompleteSelectFilter)]
    list_select_related = ["operator", "user"]
    autocomplete_fields = ["operator"]
    ordering = ["operator__name", "pk"]
    search_fields = ["operator__name"]
    actions = ["remove_selected"]
    actions_detail = ["link_this", "remove_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        mine = Q(operator__isnull=False) | Q(user=request.user.pk)
        return super().get_queryset(request).filter(mine, removed_at__isnull=True)

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[Any]:
        first = ["owner", "kind"] if obj else ["operator", "kind"]
        return [
            *first,
            "address",
            "types",
            "quiet_from",
            "quiet_to",
            "language",
            *(["is_active", "state"] if obj else []),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[Any]:
        return ["owner", "kind", "state"] if obj else []

    def get_form(self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any) -> Any:
        help_texts = {
            "operator": _("Empty: a channel of your own, for alarms."),
            "address": _("Of Telegram: leave it empty and make a link, which the person opens."),
            "quiet_from": gettext(
                "By the clock of %(zone)s. Nothing is sent in these hours; afterwards only what is still true."
            )
            % {"zone": settings.TIME_ZONE},
            "language": _("Empty: the language of the service."),
        }
        return super().get_form(request, obj, change=change, help_texts=help_texts, **kwargs)

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = OperatorChoice(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Channel, form: ChannelForm, change: bool) -> None:
        author = acting_author(request)
        if change:
            channels.change_channel(channel_id=obj.pk, changes=form.changes, author=author)
            return
        values = {name: value for name, value in form.cleaned_data.items() if name != "operator"}
        operator: Operator | None = form.cleaned_data["operator"]
        user_id = None if operator else request.user.pk
        operator_id = operator.pk if operator else None
        made = channels.add_channel(operator_id=operator_id, user_id=user_id, fields=values, author=author)
        obj.pk, obj.fresh_secret = made.pk, made.fresh_secret

    def response_add(self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the secret of a new webhook on the answer itself: a message would be stored in a cookie."""
        if obj.fresh_secret:
            text = gettext(
                "The secret of this webhook, by which its receiver verifies signatures. It is shown only once."
            )
            return self.show_once(request, obj.pk, gettext("New webhook"), text, obj.fresh_secret)
        return HttpResponseRedirect(self.page_url(obj.pk))

    @action(description=_("Link Telegram"), permissions=["change"], icon="link")
    def link_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on a page of its own, because its answer is the page that shows the link once."""
        channel = self.get_object(request, object_id)
        if channel is None:
            raise Http404
        if request.method != "POST":
            page = {"title": _("Make a link that connects this channel with Telegram?"), "form": forms.Form()}
            page |= {"button": _("Make a link"), "back": self.page_url(channel.pk)}
            return self.render_page(request, "access/key_form.html", page)
        try:
            link = linking.make_link(
                operator_id=channel.operator_id, user_id=channel.user_id, author=acting_author(request)
            )
        except Refusal as refusal:
            self.message_user(request, refusal_text(refusal), "ERROR")
            return HttpResponseRedirect(self.page_url(channel.pk))
        text = gettext("Send this link to %(name)s, who opens it in Telegram. It works once, and for a day.")
        return self.show_once(request, channel.pk, gettext("Link Telegram"), text % {"name": channel.owner}, link.url)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        channel = self.get_object(request, object_id)
        buttons = super().get_actions_detail(request, object_id)
        is_telegram = channel is not None and channel.kind == Kind.TELEGRAM
        return [one for one in buttons if is_telegram or not one.action_name.endswith("link_this")]

    @VerbAction(
        button=_("Remove"),
        permission="change",
        icon="delete",
        variant=ActionVariant.DANGER,
        title=_("Remove this channel?"),
        description=_("Nothing is sent there any more. What was sent stays listed."),
        submit=_("Remove"),
    )
    def remove(self, request: HttpRequest, chosen: Iterable[Channel]) -> None:
        author = acting_author(request)
        self.for_each(request, chosen, lambda pk: channels.remove_channel(channel_id=pk, author=author), removed)

    @sensitive_variables("secret")
    def show_once(self, request: HttpRequest, channel_id: int, title: str, text: str, secret: str) -> HttpResponse:
        page = {"title": title, "text": text, "secret": secret, "back": self.page_url(channel_id)}
        return self.render_page(request, "messenger/shown_once.html", page)

    def page_url(self, channel_id: int) -> str:
        return reverse("admin:messenger_channel_change", args=[channel_id])

    @display(description=_("whose"), ordering="operator__name")
    def owner(self, channel: Channel) -> str:
        return str(channel.owner)

    @display(description=_("quiet hours"))
    def quiet_hours(self, channel: Channel) -> str:
        quiet = channels.quiet_shape(channel.quiet_from, channel.quiet_to)
        return f"{quiet['from']}–{quiet['to']}" if quiet else formatting.NOTHING

    @display(description=_("state"), label={"on": "success", "off": "danger", "unlinked": "warning"})
    def badge(self, channel: Channel) -> tuple[str, str]:
        if not channel.is_active:
            return "off", gettext("off")
        return ("on", gettext("on")) if channel.address else ("unlinked", gettext("not linked yet"))

    @display(description=_("state"))
    def state(self, channel: Channel) -> str:
        words = self.badge(channel)[1]
        return f"{words}: {channel.off_reason}" if channel.off_reason else words


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Notice.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class KindFilter(ChoiceFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Alarm.Kind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ReadOnly(VerbAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    """What was sent to whom, and what failed why."""

    list_display = ["created_at", "channel", "words", "contact", "badge", "error"]
    list_filter = [StateFilter, ("channel__operator", AutocompleteSelectFilter)]
    list_select_related = ["channel__operator", "channel__user", "contact"]
    fields = ["created_at", "channel", "words", "contact", "alarm", "badge", "attempts", "error", "sent_at"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return (
            super().get_queryset(request).filter(Q(channel__operator__isnull=False) | Q(channel__user=request.user.pk))
        )

    @display(description=_("event"))
    def words(self, notice: Notice) -> str:
        return str(TYPE_WORDS.get(notice.type, notice.type))

    @display(description=_("state"), label=COLOURS)
    def badge(self, notice: Notice) -> tuple[str, str]:
        return notice.state, notice.get_state_display()


@admin.register(Alarm)
class AlarmAdmin(ReadOnly):
    list_display = ["since", "sentence", "told_at", "over_at"]
    list_filter = [KindFilter]
    fields = ["sentence", "since", "told_at", "over_at"]
    ordering = ["-pk"]

    @display(description=_("alarm"))
    def sentence(self, alarm: Alarm) -> str | SafeString:
        return alarm_content(alarm, is_over=False).title
