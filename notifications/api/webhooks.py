from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer, extend_schema_view
from rest_framework import generics, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.fields import KnownFieldsOnly, MomentField, TextField, UTCDateTimeField
from core.api.ids import IdField
from core.api.lookup import LookupById
from core.errors import Unknown
from notifications import feed
from notifications.api import webhook_examples as examples
from notifications.api.filters import DeliveryFilter
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import actions
from notifications.webhooks.addresses import LONGEST
from notifications.webhooks.answers import Answer


@extend_schema_field({"type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://", "maxLength": LONGEST})
class AddressField(TextField):
    """An address to call; the domain function that reads it rejects what cannot be called."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)


@extend_schema_serializer(examples=examples.WEBHOOK)
class WebhookSerializer(serializers.Serializer[Webhook]):
    url = AddressField(
        help_text="https:// or http://. Private networks only if WEBHOOK_PRIVATE_NETWORKS names them.",
    )
    types = serializers.ListField(
        child=serializers.ChoiceField(feed.TYPES),
        allow_null=True,
        allow_empty=False,
        default=None,
        help_text="Types of events; null: all.",
    )
    source_id = IdField(allow_null=True, default=None, help_text="Only events of contacts of this source; null: all.")
    with_message = serializers.BooleanField(default=False, help_text="Sends the text of the message as well.")
    is_active = serializers.BooleanField(default=True)
    id = serializers.IntegerField(read_only=True)
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    disabled_reason = serializers.ChoiceField(
        Webhook.Disabled.choices, read_only=True, allow_null=True, help_text="Why the service has switched it off."
    )
    disabled_at = UTCDateTimeField(allow_null=True)
    failing_since = UTCDateTimeField(allow_null=True)

    def create(self, validated_data: dict[str, Any]) -> Webhook:
        return actions.create_webhook(**validated_data, author=caller_author(self.context["request"]))

    def update(self, instance: Webhook, validated_data: dict[str, Any]) -> Webhook:
        author = caller_author(self.context["request"])
        return actions.change_webhook(webhook_id=instance.pk, changes=validated_data, author=author)


@extend_schema_serializer(examples=examples.NEW_WEBHOOK)
class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="Verifies signatures. Shown in this answer only.")


@extend_schema_serializer(examples=examples.TEST)
class AnswerSerializer(serializers.Serializer[Answer]):
    is_accepted = serializers.BooleanField(help_text="Whether the answer was a 2xx.")
    status = serializers.IntegerField(allow_null=True, help_text="The HTTP status; null if there was no answer.")
    duration_ms = serializers.IntegerField()
    error = serializers.ChoiceField(Attempt.Error.choices, allow_null=True)
    answer = serializers.CharField(source="text", help_text="The first 200 characters of what came back.")


class AttemptSerializer(serializers.Serializer[Attempt]):
    at = UTCDateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="The HTTP status; null if there was no answer.")
    duration_ms = serializers.IntegerField()
    error = serializers.ChoiceField(Attempt.Error.choices, allow_null=True)
    answer = serializers.CharField(help_text="The first 200 characters of what came back.")


@extend_schema_serializer(examples=examples.DELIVERY)
class DeliverySerializer(serializers.Serializer[Delivery]):
    id = serializers.IntegerField()
    webhook_id = serializers.IntegerField()
    event_id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The header `webhook-id`, the same at every repetition.")
    type = serializers.CharField()
    contact_id = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(Delivery.Status.choices)
    created_at = UTCDateTimeField()
    delivered_at = UTCDateTimeField(allow_null=True)
    next_at = serializers.SerializerMethodField(help_text="When it is tried next; null if it is not.")
    attempts = AttemptSerializer(source="log", many=True)

    @extend_schema_field(UTCDateTimeField(allow_null=True))
    def get_next_at(self, delivery: Delivery) -> Any:
        is_pending = delivery.status == Delivery.Status.PENDING
        return UTCDateTimeField().to_representation(delivery.next_at) if is_pending else None


@extend_schema_field({"type": "string", "format": "event-cursor-or-date-time", "maxLength": 200})
class PlaceField(TextField):
    """A place in the feed; the serializer reads it."""


@extend_schema_serializer(examples=examples.REPLAY)
class ReplaySerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    after = PlaceField(
        required=False,
        max_length=200,
        help_text="A cursor of `/events` or a moment: everything after it is sent again. 0: all that is kept.",
    )
    delivery_id = IdField(required=False, help_text="One delivery, as `/deliveries` lists it.")

    def validate_after(self, text: str) -> tuple[feed.Cursor, datetime | None]:
        """The cursor, and the moment before which nothing is sent."""
        try:
            return feed.Cursor.parse(text), None
        except ValueError:
            pass
        try:
            moment: datetime = MomentField().run_validation(text)
        except serializers.ValidationError:
            raise serializers.ValidationError(_("This is neither a cursor of /events nor a moment.")) from None
        return feed.cursor_at(moment), moment

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"after": [_("Give either “after” or “delivery_id”.")]}, code="required")
        return attrs


@extend_schema_serializer(examples=examples.REPLAYING)
class ReplayingSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["pending"], help_text="The worker sends it.")


@extend_schema_view(
    list=extend_schema(summary="Lists webhooks"),
    create=extend_schema(
        summary="Creates a webhook", responses={201: NewWebhookSerializer}, parameters=[CHANGE_REASON]
    ),
    retrieve=extend_schema(summary="Reads a webhook"),
    partial_update=extend_schema(summary="Changes a webhook", parameters=[CHANGE_REASON]),
    destroy=extend_schema(summary="Deletes a webhook and its deliveries", parameters=[CHANGE_REASON]),
)
class WebhookViewSet(LookupById, viewsets.ModelViewSet[Webhook]):
    """Webhooks: programs that are called with each event (Standard Webhooks 1.0)."""

    queryset = Webhook.objects.order_by("pk")
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "id"
    pagination_class = None

    def get_serializer_class(self) -> type[WebhookSerializer]:
        return NewWebhookSerializer if self.action == "create" else WebhookSerializer

    def get_success_headers(self, data: Any) -> dict[str, str]:
        """No `Location`: Django REST Framework would take the customer's address for that of the webhook."""
        return {}

    def perform_destroy(self, instance: Webhook) -> None:
        actions.delete_webhook(webhook_id=instance.pk, author=caller_author(self.request))

    @extend_schema(request=None, responses=NewWebhookSerializer, parameters=[CHANGE_REASON])
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: int) -> Response:
        """Answers with a new secret. The one before signs as well for 24 hours."""
        webhook = actions.rotate_secret(webhook_id=pk, author=caller_author(request))
        return Response(NewWebhookSerializer(webhook).data)

    @extend_schema(request=None, responses=AnswerSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: int) -> Response:
        """Sends an event `webhook.test` now, and answers with what came back."""
        return Response(AnswerSerializer(actions.send_test(webhook_id=pk)).data)

    @extend_schema(request=ReplaySerializer, responses={202: ReplayingSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: int) -> Response:
        """Sends events again: those after a cursor or a moment, or one delivery."""
        asked = ReplaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if "delivery_id" in asked.validated_data:
            actions.replay_delivery(webhook_id=pk, delivery_id=asked.validated_data["delivery_id"])
        else:
            after, since = asked.validated_data["after"]
            actions.replay_events(webhook_id=pk, after=after, since=since)
        return Response({"status": "pending"}, status=status.HTTP_202_ACCEPTED)


class DeliveryList(generics.ListAPIView[Delivery]):
    serializer_class = DeliverySerializer
    queryset = Delivery.objects.order_by("-pk").prefetch_related("log")
    filterset_class = DeliveryFilter

    def get_queryset(self) -> QuerySet[Delivery]:
        webhook_id = self.kwargs["webhook_id"]
        if not Webhook.objects.filter(pk=webhook_id).exists():
            raise Unknown("webhook", webhook_id)
        return super().get_queryset().filter(webhook=webhook_id)

    @extend_schema(operation_id="webhooks_deliveries")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was sent to this webhook, newest first, with each attempt and its answer."""
        return super().get(request, *args, **kwargs)
