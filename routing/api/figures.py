"""`GET /stats/report`: what happened in a period, as JSON, CSV or XLSX."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import spreadsheets
from core.api.fields import MomentField, UTCDateTimeField
from core.api.ids import IdField
from routing import report
from routing.api import examples
from routing.report.table import plain_key, plain_table

JSON = "json"


class ReportQuestionSerializer(serializers.Serializer[Any]):
    group_by = serializers.ChoiceField(
        choices=list(report.GroupBy), required=False, help_text="What the rows are. Default: operator."
    )
    source_id = IdField(required=False)
    operator_id = IdField(required=False)
    to = MomentField(
        required=False, source="until", help_text="Ends before this moment, rounded up to a full hour. Default: now."
    )
    time_zone = serializers.CharField(
        required=False, max_length=64, help_text="Whose days to report, such as Europe/Moscow. Default: UTC."
    )
    format = serializers.ChoiceField(
        choices=[JSON, *spreadsheets.MEDIA_TYPES],
        required=False,
        help_text="A file instead of JSON. Without it, `Accept` decides.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        since = MomentField(
            required=False,
            source="since",
            help_text="Begins with this moment, rounded down to a full hour. Default: 30 days before the end.",
        )
        return super().get_fields() | {"from": since}  # a Python keyword, so it cannot be declared above

    def validate_time_zone(self, name: str) -> ZoneInfo:
        if name not in available_timezones():
            raise serializers.ValidationError(_("%(name)s is not a time zone such as Europe/Moscow.") % {"name": name})
        return ZoneInfo(name)


class FiguresSerializer(serializers.Serializer[Any]):
    registered = serializers.IntegerField(help_text="Came in. Of an operator: and were assigned immediately.")
    assigned = serializers.IntegerField(help_text="Times that an operator got a contact, by the rule or by hand.")
    accepted = serializers.IntegerField(help_text="Taken by the operator.")
    declined = serializers.IntegerField(help_text="Given back by the operator.")
    timed_out = serializers.IntegerField(help_text="Not taken in time.")
    resolved = serializers.IntegerField()
    reopened = serializers.IntegerField()
    waiting_p50 = serializers.FloatField(
        allow_null=True,
        help_text="Seconds in the queue until an operator got it; 0 for those assigned immediately. The median.",
    )
    waiting_p90 = serializers.FloatField(allow_null=True, help_text="Nine of ten waited no longer.")
    first_reaction_p50 = serializers.FloatField(
        allow_null=True, help_text="Seconds from the assignment until the operator took the contact or replied."
    )
    first_reaction_p90 = serializers.FloatField(allow_null=True)
    resolution_p50 = serializers.FloatField(allow_null=True, help_text="Seconds from registered to resolved.")
    resolution_p90 = serializers.FloatField(allow_null=True)
    on_duty_seconds = serializers.FloatField(
        allow_null=True, help_text="Of the operator, or of all together. null by source: duty is for all sources."
    )


class ReportRowSerializer(FiguresSerializer):
    key = serializers.JSONField(
        help_text="The id of the operator or source, null for contacts that nobody had; the day, or the start of the "
        "hour in UTC."
    )
    name = serializers.CharField(allow_null=True, help_text="Of the operator or source; the day or hour in ISO 8601.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        return {name: fields.pop(name) for name in ("key", "name")} | fields


@extend_schema_serializer(examples=examples.REPORT)
class ReportSerializer(serializers.Serializer[Any]):
    to = UTCDateTimeField()
    group_by = serializers.ChoiceField(choices=list(report.GroupBy))
    rows = ReportRowSerializer(many=True)
    total = FiguresSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": UTCDateTimeField()} | super().get_fields()


def as_json(found: report.Report) -> dict[str, Any]:
    question = found.question
    return {
        "from": question.since,
        "to": question.until,
        "group_by": question.group_by,
        "rows": [{"key": plain_key(row.key), "name": row.name} | row.values() for row in found.rows],
        "total": found.total.values(),
    }


class ReportView(generics.GenericAPIView[Any]):
    serializer_class = ReportSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(
        operation_id="report",
        summary="What happened in a period, by operator, source, day or hour",
        parameters=[ReportQuestionSerializer],
        responses={
            (200, "application/json"): ReportSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, spreadsheets.MEDIA_TYPES[spreadsheets.XLSX]): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """What happened in a period, by operator, source, day or hour, with the total. Counts belong to the hour of
        their event, and percentiles are right to 10 %. docs/reports.md says what each figure means. As CSV or XLSX the
        total is the last row, and durations are whole seconds."""
        asked = ReportQuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        kind = given.pop("format", None) or accepted_kind(request.headers.get("Accept", ""))
        zone = {"zone": given.pop("time_zone")} if "time_zone" in given else {}
        group_by = report.GroupBy(given.pop("group_by", report.GroupBy.OPERATOR))
        found = report.make_report(report.ask(group_by=group_by, **zone, **given))
        if kind == JSON:
            return Response(self.get_serializer(as_json(found)).data)
        name = f"report-{group_by}-{found.question.since:%Y-%m-%d}"
        return spreadsheets.file_response(plain_table(found), kind=kind, name=name)


def accepted_kind(accept: str) -> str:
    """The file that `Accept` asks for before anything else; else JSON."""
    first = accept.split(",")[0].split(";")[0].strip().lower()
    types = {media_type.split(";")[0]: kind for kind, media_type in spreadsheets.MEDIA_TYPES.items()}
    return types.get(first, JSON)
