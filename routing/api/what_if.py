"""What would have been with other weights, limits, another roster or strategy."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.examples import answer
from core.api.examples import request as asked_with
from core.api.fields import KnownFieldsOnly, MomentField
from core.api.ids import IdField
from core.ids import is_id
from operators.models.operator import LIMITS
from routing.models import WEIGHTS, Strategy, WhatIf
from routing.what_if import runs
from routing.what_if.answers import reason_text
from routing.what_if.prediction import Changes

BANDS = {"waiting_p50": 12.0, "waiting_p90": 340.0, "longest_queue": 7.0}
PREDICTED = {
    "operators": [{"operator_id": 1, "share": 0.62, "low": 0.59, "high": 0.65}],
    **{
        key: number
        for name, middle in BANDS.items()
        for key, number in ((name, middle), (f"{name}_low", middle - 2), (f"{name}_high", middle + 2))
    },
    "queue_by_hour": [{"hour": 9, "waiting": 0.4, "low": 0.2, "high": 0.7}],
}
QUESTION = {
    "source_id": 1,
    "from": "2026-10-01T00:00:00Z",
    "to": "2026-10-31T00:00:00Z",
    "changes": {"weights": {"1": 30, "2": 10}, "limits": {"2": 5}},
}


class NumbersById(serializers.DictField):
    """Whole numbers by operator id. Their range is a rule of the domain."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(child=serializers.IntegerField(min_value=low, max_value=high), **kwargs)

    default_error_messages = {"no_id": _("“{name}” is not the id of an operator.")}

    def to_internal_value(self, data: Any) -> dict[int, int]:
        found = super().to_internal_value(data)
        for key in found:
            if not is_id(key):
                self.fail("no_id", name=key[:40])
        return {int(key): value for key, value in found.items()}


class ChangesSerializer(KnownFieldsOnly):
    """What is to be different, all the time; everything else is as it was then."""

    weights = NumbersById(
        low=WEIGHTS[0], high=WEIGHTS[1], required=False, help_text="By operator id. Who is on no roster joins it."
    )
    limits = NumbersById(low=LIMITS[0], high=LIMITS[1], required=False, help_text="By operator id.")
    roster = serializers.ListField(
        child=IdField(), required=False, max_length=1_000, help_text="Only these operators; by default those of then."
    )
    strategy = serializers.ChoiceField(choices=Strategy.choices, required=False)


class QuestionSerializer(serializers.Serializer[Any]):
    source_id = IdField()
    to = MomentField(source="until")
    changes = ChangesSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return super().get_fields() | {"from": MomentField(source="since")}  # a Python keyword


class PredictedShareSerializer(serializers.Serializer[Any]):
    operator_id = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of the contacts that were assigned by the rule, 0 to 1.")
    low = serializers.FloatField(help_text="In 95 of 100 runs the share is at least this.")
    high = serializers.FloatField(help_text="And at most this.")


class QueueHourSerializer(serializers.Serializer[Any]):
    hour = serializers.IntegerField(help_text="Of the day, 0 to 23, in the time zone of the service.")
    waiting = serializers.FloatField(help_text="How many contacts wait then, on average.")
    low = serializers.FloatField()
    high = serializers.FloatField()


class PredictionSerializer(serializers.Serializer[Any]):
    operators = PredictedShareSerializer(many=True)
    waiting_p50 = serializers.FloatField(help_text="Seconds that half of all contacts waited at most.")
    waiting_p50_low = serializers.FloatField()
    waiting_p50_high = serializers.FloatField()
    waiting_p90 = serializers.FloatField(help_text="Seconds that 9 of 10 contacts waited at most.")
    waiting_p90_low = serializers.FloatField()
    waiting_p90_high = serializers.FloatField()
    longest_queue = serializers.FloatField(help_text="The most contacts that waited simultaneously.")
    longest_queue_low = serializers.FloatField()
    longest_queue_high = serializers.FloatField()
    queue_by_hour = QueueHourSerializer(many=True)


class RunSerializer(serializers.Serializer[WhatIf]):
    id = serializers.IntegerField()


@extend_schema_serializer(
    examples=[answer({"status": "done", "reason": None, "before": PREDICTED, "after": PREDICTED})]
)
class WhatIfSerializer(serializers.Serializer[WhatIf]):
    status = serializers.ChoiceField(choices=WhatIf.Status.choices)
    reason = serializers.SerializerMethodField(help_text="Why nothing is predicted, in words; null otherwise.")
    before = PredictionSerializer(
        allow_null=True,
        help_text="With what was set then. Also given if it was refused because it differs from history.",
    )
    after = PredictionSerializer(allow_null=True, help_text="With the changes.")

    @extend_schema_field({"type": "string", "nullable": True})
    def get_reason(self, run: WhatIf) -> str | None:
        return reason_text(run)


class WhatIfsView(generics.GenericAPIView[Any]):
    serializer_class = QuestionSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(
        operation_id="what_if_ask",
        summary="Asks what would have been with other weights, limits, roster or strategy",
        request=QuestionSerializer,
        responses={202: RunSerializer},
        examples=[asked_with(QUESTION), OpenApiExample("Answer", {"id": 1}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request) -> Response:
        """Replays a period of a source in the background. First as it was: if that does not give what really happened,
        nothing is predicted."""
        asked = QuestionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        named: dict[str, Any] = {"weights": {}, "limits": {}, "roster": None, "strategy": None}
        changes = Changes(**named | values["changes"])
        run = runs.ask(
            source_id=values["source_id"],
            since=values["since"],
            until=values["until"],
            changes=changes,
            by=caller_name(request),
        )
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class WhatIfView(generics.GenericAPIView[Any]):
    serializer_class = WhatIfSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="what_if_read", summary="Reads what would have been", responses=WhatIfSerializer)
    def get(self, request: Request, what_if_id: int) -> Response:
        return Response(WhatIfSerializer(runs.read_run(what_if_id)).data)
