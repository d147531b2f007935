"""Reports for supervisors and dashboards: the queue and the fairness of the distribution."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import UTCDateTimeField, validate_year
from core.api.ids import IdField
from routing import fairness, queue_stats


class QueueSerializer(serializers.Serializer[Any]):
    source_id = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="How many contacts wait.")
    oldest_created_at = UTCDateTimeField()
    reason = serializers.CharField(help_text="Why nobody takes the oldest of them.")


class QueueView(generics.GenericAPIView[Any]):
    serializer_class = QueueSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="queue_list", responses=QueueSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The queue by source: waiting contacts, the oldest of them, and why it waits."""
        return Response(self.get_serializer(queue_stats.queue_lengths(), many=True).data)


class PeriodSerializer(serializers.Serializer[Any]):
    """Decisions taken from `from` until before `to`."""

    source_id = IdField(required=False)
    to = serializers.DateTimeField(required=False, source="until", validators=[validate_year])

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        since = serializers.DateTimeField(required=False, source="since", validators=[validate_year])
        return super().get_fields() | {"from": since}  # a Python keyword, so it cannot be declared above


class ShareSerializer(serializers.Serializer[fairness.Share]):
    source_id = serializers.IntegerField()
    operator_id = serializers.IntegerField()
    assigned = serializers.IntegerField()
    expected = serializers.FloatField(help_text="The sum of the probabilities at each decision.")
    share = serializers.FloatField(help_text="Of what was assigned in this source, 0 to 1.")
    configured_share = serializers.FloatField(help_text="By the present weights, 0 to 1.")
    low = serializers.FloatField(help_text="The 95 % band around `expected` begins here.")
    high = serializers.FloatField(help_text="And ends here.")
    within_chance = serializers.BooleanField(help_text="`assigned` lies within the band: no more than chance.")


class DistributionView(generics.GenericAPIView[Any]):
    serializer_class = ShareSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="distribution", parameters=[PeriodSerializer], responses=ShareSerializer(many=True))
    def get(self, request: Request) -> Response:
        """How many contacts each operator got, compared with the number expected from the decisions' probabilities."""
        asked = PeriodSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(self.get_serializer(fairness.distribution(**asked.validated_data), many=True).data)
