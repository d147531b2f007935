from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.examples import MOMENT, answer, request
from core.api.fields import TextField, UTCDateTimeField
from notifications.messenger import channels, linking
from notifications.messenger.models import LONGEST_ADDRESS, Channel, Kind, Notice

ASKED = {
    "kind": "email",
    "address": "anna@example.com",
    "types": ["contact.assigned"],
    "quiet": {"from": "22:00", "to": "08:00"},
}
CHANNELS = [
    request(ASKED),
    answer({"id": 1} | ASKED | {"language": None, "is_active": True, "off_reason": None, "secret": None}),
]
LINK = [answer({"url": "https://t.me/crm_router_bot?start=Yb2Vq0…", "expires_at": MOMENT})]
NOTIFICATION = [
    answer(
        {
            "id": 1,
            "channel_id": 1,
            "kind": "telegram",
            "type": "contact.assigned",
            "contact_id": 1,
            "status": "sent",
            "attempts": 0,
            "error": None,
            "created_at": MOMENT,
            "sent_at": MOMENT,
        }
    )
]


# The format `time` of OpenAPI has seconds and an offset.
@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "22:00"})
class ClockField(serializers.TimeField):
    """A time of day, such as 22:00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)


class QuietSerializer(serializers.Serializer[Any]):
    to = ClockField(source="quiet_to")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": ClockField(source="quiet_from"),
            **super().get_fields(),
        }  # a Python keyword, so it cannot be declared above

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["quiet_from"] == attrs["quiet_to"]:
            raise serializers.ValidationError(channels.quiet_words(), code="empty")
        return attrs


@extend_schema_serializer(examples=CHANNELS)
class ChannelSerializer(serializers.Serializer[Channel]):
    id = serializers.IntegerField(read_only=True)
    kind = serializers.ChoiceField(Kind.choices)
    address = TextField(
        max_length=LONGEST_ADDRESS,
        allow_null=True,
        allow_blank=True,
        default=None,
        help_text="Of Telegram the id of the chat, which is null until the operator has linked it: leave it out.",
    )
    types = serializers.ListField(
        child=serializers.ChoiceField([(name, name) for name in channels.EVENT_TYPES]),
        allow_null=True,
        default=None,
        max_length=len(channels.EVENT_TYPES),
        help_text="Which events are sent; null: only `contact.assigned`.",
    )
    quiet = QuietSerializer(
        allow_null=True, default=None, help_text="Hours of the day, in TIME_ZONE, in which nothing is sent."
    )
    language = serializers.ChoiceField(
        [("en", "en"), ("ru", "ru")], allow_null=True, default=None, help_text="null: the language of the service."
    )
    is_active = serializers.BooleanField(
        required=False, help_text="A channel that was switched off stays so until it is sent with true."
    )
    off_reason = serializers.CharField(read_only=True, allow_null=True, help_text="Why the service switched it off.")
    secret = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="Signs what a webhook gets; only in the answer that created it.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        fields: dict[str, Any] = super().to_internal_value(data)
        return fields | (fields.pop("quiet", None) or {})

    def to_representation(self, instance: Channel) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "kind": instance.kind,
            "address": instance.address or None,
            "types": instance.types,
            "quiet": channels.quiet_shape(instance.quiet_from, instance.quiet_to),
            "language": instance.language or None,
            "is_active": instance.is_active,
            "off_reason": instance.off_reason or None,
            "secret": instance.fresh_secret,
        }


class ChannelsView(generics.GenericAPIView[Channel]):
    """Where an operator gets messages."""

    serializer_class = ChannelSerializer
    queryset = Channel.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="channels_list", responses=ChannelSerializer(many=True))
    def get(self, request: Request, operator_id: int) -> Response:
        """The channels of this operator."""
        return Response(self.get_serializer(channels.list_channels(operator_id), many=True).data)

    @extend_schema(
        operation_id="channels_replace",
        request=ChannelSerializer(many=True),
        responses=ChannelSerializer(many=True),
        parameters=[CHANGE_REASON],
    )
    def put(self, request: Request, operator_id: int) -> Response:
        """Replaces all channels of this operator, all or nothing."""
        asked = self.get_serializer(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        made = channels.set_channels(
            operator_id=operator_id, channels=asked.validated_data, author=caller_author(request)
        )
        return Response(self.get_serializer(made, many=True).data)


@extend_schema_serializer(examples=LINK)
class LinkSerializer(serializers.Serializer[linking.Link]):
    url = serializers.CharField(read_only=True)
    expires_at = UTCDateTimeField()


class TelegramLinkView(generics.GenericAPIView[Any]):
    serializer_class = LinkSerializer
    queryset = Channel.objects.none()
    filter_backends = []

    @extend_schema(operation_id="telegram_link_create", request=None, responses={201: LinkSerializer})
    def post(self, request: Request, operator_id: int) -> Response:
        """A link to the bot that works once and for a day; it connects the chat in which it is opened to the operator.

        A link made before ends.
        """
        link = linking.make_link(operator_id=operator_id, author=caller_author(request))
        return Response(self.get_serializer(link).data, status.HTTP_201_CREATED)


@extend_schema_serializer(examples=NOTIFICATION)
class NotificationSerializer(serializers.Serializer[Notice]):
    id = serializers.IntegerField(read_only=True)
    channel_id = serializers.IntegerField(read_only=True)
    kind = serializers.CharField(read_only=True, source="channel.kind")
    type = serializers.CharField(read_only=True)
    contact_id = serializers.IntegerField(read_only=True, allow_null=True)
    status = serializers.ChoiceField(
        Notice.State.choices, read_only=True, source="state", help_text="`skipped`: it was no longer true."
    )
    attempts = serializers.IntegerField(read_only=True, help_text="Attempts that have failed.")
    error = serializers.SerializerMethodField(help_text="Why the last attempt failed.")
    created_at = UTCDateTimeField()
    sent_at = UTCDateTimeField(allow_null=True)

    def get_error(self, notice: Notice) -> str | None:
        return notice.error or None


class NotificationsView(generics.ListAPIView[Notice]):
    """What was sent to an operator, and what failed why."""

    serializer_class = NotificationSerializer
    queryset = Notice.objects.select_related("channel").order_by("-pk")
    filter_backends = []

    def get_queryset(self) -> QuerySet[Notice]:
        operator_id = self.kwargs["operator_id"]
        channels.require_operator(operator_id)
        return super().get_queryset().filter(channel__operator=operator_id)

    @extend_schema(operation_id="notifications_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Notifications of this operator, newest first."""
        return super().get(request, *args, **kwargs)
