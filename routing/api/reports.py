"""Reports for supervisors and dashboards: the queue and the fairness of the distribution."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import MomentField, UTCDateTimeField
from core.api.ids import IdField
from routing import fairness, queue_stats
from routing.api import examples


@extend_schema_serializer(examples=examples.QUEUE)
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
    to = MomentField(required=False, source="until")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        since = MomentField(required=False, source="since")
        return super().get_fields() | {"from": since}  # a Python keyword, so it cannot be declared above


class ReasonsSerializer(serializers.Serializer[Any]):
    """Why the contacts are not those of the weights, in contacts. Together: `assigned` + `by_hand` - `by_weight`."""

    duty = serializers.FloatField(help_text="This operator or others were off duty.")
    limit = serializers.FloatField(help_text="This operator or others were at the limit.")
    given_back = serializers.FloatField(help_text="The contact was given back, or older ones came first.")
    sticky = serializers.FloatField(help_text="Known clients went to their operator (`is_sticky`).")
    load = serializers.FloatField(help_text="`least_loaded` goes by load, not by weight.")
    chance = serializers.FloatField(help_text="`drawn` - `expected`: chance, or whose turn it was with `smooth`.")
    taken = serializers.FloatField(
        help_text="Drawn first, but the place was taken meanwhile; or got in place of others."
    )
    by_hand = serializers.FloatField(help_text="Given by a person.")


@extend_schema_serializer(examples=examples.SHARE)
class ShareSerializer(serializers.Serializer[fairness.Share]):
    source_id = serializers.IntegerField()
    operator_id = serializers.IntegerField()
    assigned = serializers.IntegerField(help_text="By the rule, not by hand.")
    expected = serializers.FloatField(
        help_text="The sum of the probabilities at each decision; with `smooth` that of the shares by weight among "
        "those who could be chosen."
    )
    share = serializers.FloatField(help_text="Of what was assigned in this source, 0 to 1.")
    configured_share = serializers.FloatField(help_text="By the present weights, 0 to 1.")
    low = serializers.FloatField(help_text="The 95 % band around `expected` begins here.")
    high = serializers.FloatField(help_text="And ends here.")
    within_chance = serializers.BooleanField(
        help_text="Judged together with the other operators of the source, so that a fair source has a false alarm in "
        "less than 5 of 100 reports."
    )
    drawn = serializers.IntegerField(help_text="Drawn first: judged against `expected`.")
    taken = serializers.IntegerField(help_text="Of `drawn`: went elsewhere, because the place was taken meanwhile.")
    by_hand = serializers.IntegerField(help_text="Given by a person, in addition to `assigned`.")
    by_weight = serializers.FloatField(help_text="What the weights of the whole roster alone would have given.")
    reasons = ReasonsSerializer()
    verdict = serializers.ChoiceField(
        choices=[fairness.FAIR, fairness.UNFAIR, fairness.NO_CHOICE],
        help_text="On the whole source. `no_choice`: each time only one operator could be chosen.",
    )
    p_value = serializers.FloatField(
        allow_null=True, help_text="How often a fair source would deviate as much, 0 to 1. null without chance."
    )


class DistributionView(generics.GenericAPIView[Any]):
    serializer_class = ShareSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(
        operation_id="distribution",
        summary="Compares how many contacts each operator got with what was expected",
        parameters=[PeriodSerializer],
        responses=ShareSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """How many contacts each operator got, compared with the number expected from the decisions' probabilities, the
        verdict on each source, and why the numbers are not those of the weights."""
        asked = PeriodSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(self.get_serializer(fairness.distribution(**asked.validated_data), many=True).data)
