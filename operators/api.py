from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.examples import answer, example, request
from core.api.fields import KnownFieldsOnly, NameField, TextField, UTCDateTimeField
from core.api.filters import ArchiveFilter
from core.api.lookup import ListsArchive
from operators.models import CAPS, LIMITS, PACES, Operator
from routing import operator_actions

EXAMPLES = example(
    {"name": "Анна", "is_active": True, "max_load": 50, "external_ref": "tg-1234567"},
    {"name": "Анна", "is_active": True, "max_load": 50, "id": 1, "current_load": 0, "external_ref": "tg-1234567"}
    | {"paused_until": None, "max_per_hour": None, "max_per_day": None, "queue_pace": None}
    | {"capped_until": None, "paced_until": None},
)

HANDOVER = [request({"stay_on_duty": False}), answer({"reassigned": 4, "queued": 1, "kept": 0})]


class CapField(serializers.IntegerField):
    """A limit that may be null, for none."""

    def __init__(self, help_text: str, limits: tuple[int, int] = CAPS) -> None:
        super().__init__(min_value=limits[0], max_value=limits[1], allow_null=True, default=None, help_text=help_text)


@extend_schema_serializer(examples=EXAMPLES)
class OperatorSerializer(serializers.Serializer[Operator]):
    name = NameField()
    is_active = serializers.BooleanField(default=True, help_text="On duty: gets new contacts.")
    max_load = serializers.IntegerField(
        min_value=LIMITS[0], max_value=LIMITS[1], help_text="How many contacts the operator may have open at once."
    )
    id = serializers.IntegerField(read_only=True)
    current_load = serializers.IntegerField(read_only=True, help_text="How many contacts the operator has open.")
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    external_ref = TextField(
        max_length=200,
        allow_null=True,
        allow_blank=True,
        default=None,
        help_text="The id of this person in your own systems, such as a Telegram id. Unique; blank is null.",
    )

    paused_until = UTCDateTimeField(allow_null=True)
    max_per_hour = CapField("Contacts that may be assigned between one full hour and the next.")
    max_per_day = CapField("Contacts that may be assigned between one midnight and the next.")
    queue_pace = CapField("Contacts a minute that may come out of the queue; null: the service's default.", PACES)
    capped_until = UTCDateTimeField(allow_null=True)
    paced_until = UTCDateTimeField(allow_null=True)

    def validate_external_ref(self, reference: str | None) -> str | None:
        return reference or None

    def create(self, validated_data: dict[str, Any]) -> Operator:
        return operator_actions.create_operator(**validated_data, author=caller_author(self.context["request"]))

    def update(self, instance: Operator, validated_data: dict[str, Any]) -> Operator:
        author = caller_author(self.context["request"])
        return operator_actions.change_operator(operator_id=instance.pk, changes=validated_data, author=author)


@extend_schema_serializer(examples=HANDOVER[:1])
class HandoverSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    stay_on_duty = serializers.BooleanField(
        default=False, help_text="Stays on duty; what nobody else can take stays with the operator."
    )


@extend_schema_serializer(examples=HANDOVER[1:])
class HandoverCountSerializer(serializers.Serializer[Any]):
    reassigned = serializers.IntegerField(read_only=True)
    queued = serializers.IntegerField(read_only=True)
    kept = serializers.IntegerField(read_only=True)


class OperatorFilter(ArchiveFilter):
    external_ref = django_filters.CharFilter(help_text="Exactly this id in your own systems; one operator at most.")


@extend_schema_view(
    list=extend_schema(summary="Lists operators"),
    create=extend_schema(summary="Creates an operator", parameters=[CHANGE_REASON]),
    retrieve=extend_schema(summary="Reads an operator"),
    partial_update=extend_schema(summary="Changes an operator", parameters=[CHANGE_REASON]),
    destroy=extend_schema(summary="Archives an operator; its open contacts go to others", parameters=[CHANGE_REASON]),
)
class OperatorViewSet(ListsArchive, viewsets.ModelViewSet[Operator]):
    """Operators: their duty, and how many contacts each may have open simultaneously."""

    queryset = Operator.objects.order_by("pk")
    serializer_class = OperatorSerializer
    filterset_class = OperatorFilter
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "id"
    pagination_class = None  # a bare array, by contract

    def perform_destroy(self, instance: Operator) -> None:
        operator_actions.archive_operator(operator_id=instance.pk, author=caller_author(self.request))

    @extend_schema(request=None, responses=OperatorSerializer, parameters=[CHANGE_REASON])
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: int) -> Response:
        """Takes the operator out of the archive, with the former weights. Repeating it changes nothing."""
        restored = operator_actions.restore_operator(operator_id=pk, author=caller_author(request))
        return Response(OperatorSerializer(restored).data)

    @extend_schema(request=HandoverSerializer, responses=HandoverCountSerializer, parameters=[CHANGE_REASON])
    @action(detail=True, methods=["post"], serializer_class=HandoverSerializer)
    def handover(self, request: Request, pk: int) -> Response:
        """Takes the operator off duty and routes all its open contacts to others or the queue, in one transaction."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        verb = (
            operator_actions.hand_over_on_duty if asked.validated_data["stay_on_duty"] else operator_actions.hand_over
        )
        return Response(HandoverCountSerializer(verb(operator_id=pk, author=caller_author(request))).data)
