from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.examples import example
from core.api.fields import NOT_BLANK, UTCDateTimeField
from core.api.lookup import LookupById
from operators.models import LIMITS, Operator
from routing import operator_actions

EXAMPLES = example(
    {"name": "Анна", "is_active": True, "max_load": 50},
    {"name": "Анна", "is_active": True, "max_load": 50, "id": 1, "current_load": 0},
)


@extend_schema_serializer(examples=EXAMPLES)
class OperatorSerializer(serializers.Serializer[Operator]):
    name = serializers.RegexField(NOT_BLANK, max_length=100)
    is_active = serializers.BooleanField(default=True, help_text="On duty: gets new contacts.")
    max_load = serializers.IntegerField(
        min_value=LIMITS[0], max_value=LIMITS[1], help_text="How many contacts the operator may have open at once."
    )
    id = serializers.IntegerField(read_only=True)
    current_load = serializers.IntegerField(read_only=True, help_text="How many contacts the operator has open.")
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()

    def create(self, validated_data: dict[str, Any]) -> Operator:
        return operator_actions.create_operator(**validated_data)

    def update(self, instance: Operator, validated_data: dict[str, Any]) -> Operator:
        return operator_actions.change_operator(operator_id=instance.pk, changes=validated_data)


class HandoverSerializer(serializers.Serializer[Any]):
    stay_on_duty = serializers.BooleanField(
        default=False, help_text="Stays on duty; what nobody else can take stays with the operator."
    )


class HandoverCountSerializer(serializers.Serializer[Any]):
    reassigned = serializers.IntegerField(read_only=True)
    queued = serializers.IntegerField(read_only=True)
    kept = serializers.IntegerField(read_only=True)


class OperatorViewSet(LookupById, viewsets.ModelViewSet[Operator]):
    """Operators: their duty, and how many contacts each may have open simultaneously."""

    queryset = Operator.objects.current().order_by("pk")
    serializer_class = OperatorSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "id"
    pagination_class = None  # a bare array, by contract

    def perform_destroy(self, instance: Operator) -> None:
        operator_actions.archive_operator(operator_id=instance.pk, by=caller_name(self.request))

    @extend_schema(request=HandoverSerializer, responses=HandoverCountSerializer)
    @action(detail=True, methods=["post"], serializer_class=HandoverSerializer)
    def handover(self, request: Request, pk: int) -> Response:
        """Takes the operator off duty and routes all its open contacts to others or the queue, in one transaction."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        verb = (
            operator_actions.hand_over_on_duty if asked.validated_data["stay_on_duty"] else operator_actions.hand_over
        )
        return Response(HandoverCountSerializer(verb(operator_id=pk, by=caller_name(request))).data)
