from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers, viewsets

from leads import staffing
from leads.api import examples
from leads.api.fields import Moment
from operators.models import LIMITS, Operator


@extend_schema_serializer(examples=examples.OPERATOR)
class OperatorSerializer(serializers.Serializer[Operator]):
    name = serializers.CharField(max_length=100)
    is_active = serializers.BooleanField(default=True, help_text="On duty: gets new contacts.")
    max_load = serializers.IntegerField(
        min_value=LIMITS[0], max_value=LIMITS[1], help_text="How many contacts the operator may have open at once."
    )
    id = serializers.IntegerField(read_only=True)
    current_load = serializers.IntegerField(read_only=True, help_text="How many contacts the operator has open.")
    created_at = Moment()
    updated_at = Moment()

    def create(self, validated_data: dict[str, Any]) -> Operator:
        return Operator.objects.create(**validated_data)

    def update(self, instance: Operator, validated_data: dict[str, Any]) -> Operator:
        return staffing.change_operator(operator_id=instance.pk, changes=validated_data)


class OperatorViewSet(viewsets.ModelViewSet[Operator]):
    """Operators: who is on duty, and how many contacts each may have open at once."""

    queryset = Operator.objects.current().order_by("pk")
    serializer_class = OperatorSerializer
    http_method_names = ["get", "post", "patch", "delete"]
    lookup_value_converter = "int"

    def perform_destroy(self, instance: Operator) -> None:
        staffing.archive_operator(operator_id=instance.pk)
