"""Schedules, absences and pauses of operators."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers, status
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.examples import answer, request
from core.api.fields import KnownFieldsOnly, MomentField, TextField, UTCDateTimeField, format_utc
from operators.api import OperatorSerializer
from operators.models import Absence, Operator
from operators.schedule_input import MOST_SHIFTS
from routing import duty_edges
from routing.duty_edges import LONGEST_REASON, PAUSE_MINUTES

LONGEST_PERIOD = timedelta(days=366)  # of an answer about the planned availability
USUAL_PERIOD = timedelta(days=7)

WEEK = {
    "time_zone": "Europe/Moscow",
    "weekly": [{"weekday": 1, "from": "09:00", "to": "18:00"}, {"weekday": 5, "from": "22:00", "to": "06:00"}],
}
HOLIDAY = {
    "from": "2026-12-28T06:00:00Z",
    "to": "2027-01-11T06:00:00Z",
    "reason": "Holiday",
    "handover": True,
}

CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
SHIFT_SCHEMA = {
    "type": "object",
    "properties": {
        "weekday": {"type": "integer", "minimum": 1, "maximum": 7, "description": "1 = Monday."},
        "from": {"type": "string", "pattern": f"^{CLOCK}$", "example": "09:00"},
        "to": {
            "type": "string",
            "pattern": f"^({CLOCK}|24:00)$",
            "example": "18:00",
            "description": "Not later than `from`: on the next day. 24:00 is the end of the day.",
        },
    },
    "required": ["weekday", "from", "to"],
}


class UnreadField(serializers.Field[Any, Any, Any, Any]):
    """A value that the domain function reads, which rejects an invalid one, and one that is missing: then None."""

    def run_validation(self, data: Any = empty) -> Any:
        return None if data is empty else data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "maxLength": 64, "example": "Europe/Moscow"})
class TimeZoneField(UnreadField):
    """A name of the IANA database."""


@extend_schema_field({"type": "array", "maxItems": MOST_SHIFTS, "items": SHIFT_SCHEMA})
class ShiftsField(UnreadField):
    """A weekly pattern."""


@extend_schema_serializer(examples=[request(WEEK), answer(WEEK)])
class ScheduleSerializer(serializers.Serializer[Any]):
    time_zone = TimeZoneField(
        required=False, default=None, help_text="A name of the IANA database; may be left out of an empty schedule."
    )
    weekly = ShiftsField(help_text="In this time zone, with its daylight saving time. Empty: no schedule.")


class ScheduleView(generics.GenericAPIView[Any]):
    """When an operator is on duty, week by week."""

    serializer_class = ScheduleSerializer
    queryset = Operator.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="operator_schedule_retrieve", responses=ScheduleSerializer)
    def get(self, request: Request, operator_id: int) -> Response:
        """The weekly schedule of this operator; empty if only the switch counts."""
        return Response(self.get_serializer(duty_edges.read_schedule(operator_id=operator_id)).data)

    @extend_schema(
        operation_id="operator_schedule_replace",
        request=ScheduleSerializer,
        responses=ScheduleSerializer,
        parameters=[CHANGE_REASON],
    )
    def put(self, request: Request, operator_id: int) -> Response:
        """Replaces the schedule. It acts at once, as if its last edge had just passed; an empty one leaves the switch
        as it is."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        stored = duty_edges.set_schedule(
            operator_id=operator_id,
            time_zone=given["time_zone"],
            shifts=given["weekly"],
            author=caller_author(request),
        )
        return Response(self.get_serializer(stored).data)


@extend_schema_serializer(
    examples=[request(HOLIDAY), answer({"id": 1} | HOLIDAY | {"began_at": None, "ended_at": None})]
)
class AbsenceSerializer(serializers.Serializer[Absence]):
    id = serializers.IntegerField(read_only=True)
    to = MomentField(source="end")
    reason = TextField(max_length=LONGEST_REASON, allow_null=True, allow_blank=True, default=None)
    handover = serializers.BooleanField(
        default=False, help_text="At its begin, open contacts go to others or back to the queue."
    )
    began_at = UTCDateTimeField(allow_null=True)
    ended_at = UTCDateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        return {"id": fields.pop("id"), "from": MomentField(source="start"), **fields}  # a Python keyword

    def to_representation(self, instance: Absence) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "from": format_utc(instance.start),
            "to": format_utc(instance.end),
            "reason": instance.reason or None,
            "handover": instance.handover,
            "began_at": format_utc(instance.began_at) if instance.began_at else None,
            "ended_at": format_utc(instance.ended_at) if instance.ended_at else None,
        }


class AbsencesView(generics.GenericAPIView[Absence]):
    """Times off duty, such as holidays."""

    serializer_class = AbsenceSerializer
    queryset = Absence.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="absences_list", responses=AbsenceSerializer(many=True))
    def get(self, request: Request, operator_id: int) -> Response:
        """The absences of this operator, in the order of their begin; those that are over too, cancelled ones not."""
        return Response(self.get_serializer(duty_edges.list_absences(operator_id=operator_id), many=True).data)

    @extend_schema(operation_id="absences_create", responses={201: AbsenceSerializer}, parameters=[CHANGE_REASON])
    def post(self, request: Request, operator_id: int) -> Response:
        """Adds an absence: at its begin off duty, at its end back if the schedule or the former switch says so."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        absence = duty_edges.add_absence(
            operator_id=operator_id,
            start=given["start"],
            end=given["end"],
            reason=given["reason"] or "",
            handover=given["handover"],
            author=caller_author(request),
        )
        return Response(self.get_serializer(absence).data, status.HTTP_201_CREATED)


class AbsenceView(generics.GenericAPIView[Absence]):
    serializer_class = AbsenceSerializer
    queryset = Absence.objects.none()
    filter_backends = []

    @extend_schema(operation_id="absences_destroy", responses={204: None}, parameters=[CHANGE_REASON])
    def delete(self, request: Request, operator_id: int, absence_id: int) -> Response:
        """Cancels an absence; one that has begun ends now."""
        duty_edges.cancel_absence(operator_id=operator_id, absence_id=absence_id, author=caller_author(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_serializer(examples=[request({"minutes": 30})])
class PauseSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """Exactly one of the two."""

    minutes = serializers.IntegerField(required=False, min_value=PAUSE_MINUTES[0], max_value=PAUSE_MINUTES[1])
    until = MomentField(required=False)


class PauseView(generics.GenericAPIView[Any]):
    serializer_class = PauseSerializer
    queryset = Operator.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="operator_pause", request=PauseSerializer, responses=OperatorSerializer, parameters=[CHANGE_REASON]
    )
    def post(self, request: Request, operator_id: int) -> Response:
        """Takes the operator off duty now, and back by itself. Another pause replaces it."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        author = caller_author(request)
        paused = duty_edges.pause_operator(operator_id=operator_id, author=author, **asked.validated_data)
        return Response(OperatorSerializer(paused).data)


class ResumeView(generics.GenericAPIView[Any]):
    serializer_class = OperatorSerializer
    queryset = Operator.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="operator_resume", request=None, responses=OperatorSerializer, parameters=[CHANGE_REASON]
    )
    def post(self, request: Request, operator_id: int) -> Response:
        """Ends the pause. Repeating it changes nothing."""
        resumed = duty_edges.resume_operator(operator_id=operator_id, author=caller_author(request))
        return Response(OperatorSerializer(resumed).data)


class AvailabilityPeriodSerializer(serializers.Serializer[Any]):
    """From `from`, now by default, until `to`, seven days later by default; 366 days at most."""

    to = MomentField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return super().get_fields() | {"from": MomentField(required=False)}  # a Python keyword

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start = attrs.get("from") or timezone.now()
        end = attrs.get("to") or start + USUAL_PERIOD
        if end <= start:
            raise serializers.ValidationError({"to": _("`to` must be after `from`.")}, code="empty")
        if end - start > LONGEST_PERIOD:
            detail = _("The time must not be longer than %(days)s days.") % {"days": LONGEST_PERIOD.days}
            raise serializers.ValidationError({"to": detail}, code="too_long")
        return {"start": start, "end": end}


@extend_schema_serializer(examples=[answer({"from": "2026-11-23T06:00:00Z", "to": "2026-11-23T15:00:00Z"})])
class IntervalSerializer(serializers.Serializer[Any]):
    to = UTCDateTimeField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": UTCDateTimeField(), **super().get_fields()}  # a Python keyword


class AvailabilityView(generics.GenericAPIView[Any]):
    serializer_class = IntervalSerializer
    queryset = Operator.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(
        operation_id="availability_list",
        parameters=[AvailabilityPeriodSerializer],
        responses=IntervalSerializer(many=True),
    )
    def get(self, request: Request, operator_id: int) -> Response:
        """The intervals on duty as planned: by the schedule, or without one as the switch is now; without absences and
        pause."""
        asked = AvailabilityPeriodSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        planned = duty_edges.planned_availability(operator_id=operator_id, **asked.validated_data)
        intervals = [{"from": start, "to": end} for start, end in planned]
        return Response(self.get_serializer(intervals, many=True).data)
