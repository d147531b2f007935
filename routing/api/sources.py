from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import generics, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.fields import CountryField, NameField, TextField, UTCDateTimeField
from core.api.filters import ArchiveFilter
from core.api.ids import IdField
from core.api.lookup import ListsArchive
from routing import opening_hours, source_actions
from routing.api import examples
from routing.api.duty import ScheduleSerializer
from routing.models import (
    ACCEPT_WITHIN,
    MAX_OFFERS,
    MISSED,
    WEIGHTS,
    PhoneFormat,
    RosterEntry,
    Source,
    Strategy,
    UnreadablePhones,
    phone_region,
)


@extend_schema_serializer(examples=examples.SOURCE)
class SourceSerializer(serializers.Serializer[Source]):
    name = NameField(help_text="Unique among the open sources.")
    description = TextField(max_length=500, allow_null=True, allow_blank=True, default=None)
    id = serializers.IntegerField(read_only=True)
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    phone_region = CountryField(
        default="",
        allow_blank=True,
        max_length=2,
        validators=[phone_region],
        help_text="Country of phone numbers without “+”, such as RU; empty: the service's default.",
    )
    phone_format = serializers.ChoiceField(
        PhoneFormat.choices,
        default=PhoneFormat.NATIONAL,
        help_text="How phone numbers without “+” are written: as dialled in the region, or with country code.",
    )
    unreadable_phones = serializers.ChoiceField(
        UnreadablePhones.choices,
        default=UnreadablePhones.REFUSE,
        help_text="When a phone that cannot be one is all there is: refuse the contact, or keep the text as an id.",
    )
    strategy = serializers.ChoiceField(
        Strategy.choices, default=Strategy.WEIGHTED_RANDOM, help_text="How one of the free operators is chosen."
    )
    is_sticky = serializers.BooleanField(
        default=False,
        help_text="A known lead goes to the operator of its last contact, if on duty and below the limit.",
    )
    may_rename = serializers.BooleanField(
        default=True,
        help_text="Whether a name that comes through this source replaces the name of a known lead.",
    )
    accept_within = serializers.IntegerField(
        min_value=ACCEPT_WITHIN[0],
        max_value=ACCEPT_WITHIN[1],
        allow_null=True,
        default=None,
        help_text="Seconds on duty in which an operator must take a contact, else another one gets it. Null: no limit.",
    )
    max_offers = serializers.IntegerField(
        min_value=MAX_OFFERS[0],
        max_value=MAX_OFFERS[1],
        default=3,
        help_text="To how many operators in turn a contact is offered before it stays in the queue.",
    )
    off_duty_after_missed = serializers.IntegerField(
        min_value=MISSED[0],
        max_value=MISSED[1],
        allow_null=True,
        default=None,
        help_text="So many missed offers in a row take the operator off duty. Null: never.",
    )

    def create(self, validated_data: dict[str, Any]) -> Source:
        return source_actions.create_source(**validated_data, author=caller_author(self.context["request"]))

    def update(self, instance: Source, validated_data: dict[str, Any]) -> Source:
        author = caller_author(self.context["request"])
        return source_actions.change_source(source_id=instance.pk, changes=validated_data, author=author)


@extend_schema_view(
    list=extend_schema(summary="Lists sources"),
    create=extend_schema(summary="Creates a source", parameters=[CHANGE_REASON]),
    retrieve=extend_schema(summary="Reads a source"),
    partial_update=extend_schema(summary="Changes a source", parameters=[CHANGE_REASON]),
    destroy=extend_schema(summary="Closes a source; its contacts stay", parameters=[CHANGE_REASON]),
)
class SourceViewSet(ListsArchive, viewsets.ModelViewSet[Source]):
    """Sources: the bots and channels that contacts come from."""

    queryset = Source.objects.order_by("pk")
    serializer_class = SourceSerializer
    filterset_class = ArchiveFilter
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "id"
    pagination_class = None  # a bare array, by contract

    def perform_destroy(self, instance: Source) -> None:
        source_actions.archive_source(source_id=instance.pk, author=caller_author(self.request))

    @extend_schema(request=None, responses=SourceSerializer, parameters=[CHANGE_REASON])
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: int) -> Response:
        """Opens the source again, with its roster. Repeating it changes nothing."""
        restored = source_actions.restore_source(source_id=pk, author=caller_author(request))
        return Response(SourceSerializer(restored).data)


@extend_schema_serializer(examples=examples.WEIGHT)
class WeightSerializer(serializers.Serializer[RosterEntry]):
    source_id = serializers.IntegerField(read_only=True)
    operator_id = IdField()
    weight = serializers.IntegerField(
        min_value=WEIGHTS[0],
        max_value=WEIGHTS[1],
        default=10,
        help_text="Share of the source's contacts, relative to the other weights on its roster.",
    )


class RosterView(generics.ListCreateAPIView[RosterEntry]):
    """The roster of one source: its operators and their weights."""

    serializer_class = WeightSerializer
    queryset = RosterEntry.objects.current().order_by("operator_id")
    pagination_class = None
    filter_backends = []

    def get_queryset(self) -> QuerySet[RosterEntry]:
        source_id = self.kwargs["source_id"]
        source_actions.require_source(source_id)
        return super().get_queryset().filter(source=source_id)

    def perform_create(self, serializer: serializers.BaseSerializer[RosterEntry]) -> None:
        serializer.instance = source_actions.set_weight(
            source_id=self.kwargs["source_id"], **serializer.validated_data, author=caller_author(self.request)
        )

    @extend_schema(operation_id="roster_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The weights of this source, in operator id order."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="roster_set", parameters=[CHANGE_REASON])
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sets or replaces an operator's weight for this source."""
        return super().post(request, *args, **kwargs)

    @extend_schema(
        operation_id="roster_replace",
        request=WeightSerializer(many=True),
        responses=WeightSerializer(many=True),
        parameters=[CHANGE_REASON],
    )
    def put(self, request: Request, source_id: int) -> Response:
        """Replaces the whole roster, all or nothing."""
        asked = self.get_serializer(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        roster = source_actions.replace_roster(
            source_id=source_id, weights=asked.validated_data, author=caller_author(request)
        )
        return Response(self.get_serializer(roster, many=True).data)


class RosterMemberView(generics.GenericAPIView[RosterEntry]):
    @extend_schema(operation_id="roster_remove", responses={204: None}, parameters=[CHANGE_REASON])
    def delete(self, request: Request, source_id: int, operator_id: int) -> Response:
        """Removes an operator from the roster; its contacts stay assigned to it."""
        source_actions.remove_from_roster(source_id=source_id, operator_id=operator_id, author=caller_author(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class OpeningHoursView(generics.GenericAPIView[Any]):
    """When a source is open, week by week."""

    serializer_class = ScheduleSerializer
    queryset = Source.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="source_schedule_retrieve", responses=ScheduleSerializer)
    def get(self, request: Request, source_id: int) -> Response:
        """The opening hours of this source; empty if it is always open."""
        return Response(self.get_serializer(opening_hours.read_opening_hours(source_id=source_id)).data)

    @extend_schema(
        operation_id="source_schedule_replace",
        request=ScheduleSerializer,
        responses=ScheduleSerializer,
        parameters=[CHANGE_REASON],
    )
    def put(self, request: Request, source_id: int) -> Response:
        """Replaces the opening hours, which act at once. Outside them contacts wait with the reason `closed_hours`."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        stored = opening_hours.set_opening_hours(
            source_id=source_id, time_zone=given["time_zone"], shifts=given["weekly"], author=caller_author(request)
        )
        return Response(self.get_serializer(stored).data)
