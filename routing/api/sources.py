from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import generics, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import NOT_BLANK, CountryField, UTCDateTimeField
from core.api.ids import IdField
from core.api.lookup import LookupById
from routing import source_actions
from routing.api import examples
from routing.models import WEIGHTS, RosterEntry, Source, Strategy, phone_region


@extend_schema_serializer(examples=examples.SOURCE)
class SourceSerializer(serializers.Serializer[Source]):
    name = serializers.RegexField(NOT_BLANK, max_length=100, help_text="Unique among the open sources.")
    description = serializers.CharField(max_length=500, allow_null=True, allow_blank=True, default=None)
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
    strategy = serializers.ChoiceField(
        Strategy.choices, default=Strategy.WEIGHTED_RANDOM, help_text="How one of the free operators is chosen."
    )
    is_sticky = serializers.BooleanField(
        default=False,
        help_text="A known lead goes to the operator of its last contact, if on duty and below the limit.",
    )

    def create(self, validated_data: dict[str, Any]) -> Source:
        return source_actions.create_source(**validated_data)

    def update(self, instance: Source, validated_data: dict[str, Any]) -> Source:
        return source_actions.change_source(source_id=instance.pk, changes=validated_data)


class SourceViewSet(LookupById, viewsets.ModelViewSet[Source]):
    """Sources: the bots and channels that contacts come from."""

    queryset = Source.objects.current().order_by("pk")
    serializer_class = SourceSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "id"
    pagination_class = None  # a bare array, by contract

    def perform_destroy(self, instance: Source) -> None:
        source_actions.archive_source(source_id=instance.pk)


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
        serializer.instance = source_actions.set_weight(source_id=self.kwargs["source_id"], **serializer.validated_data)

    @extend_schema(operation_id="roster_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The weights of this source, in operator id order."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="roster_set")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sets or replaces an operator's weight for this source."""
        return super().post(request, *args, **kwargs)

    @extend_schema(
        operation_id="roster_replace", request=WeightSerializer(many=True), responses=WeightSerializer(many=True)
    )
    def put(self, request: Request, source_id: int) -> Response:
        """Replaces the whole roster, all or nothing."""
        asked = self.get_serializer(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        roster = source_actions.replace_roster(source_id=source_id, weights=asked.validated_data)
        return Response(self.get_serializer(roster, many=True).data)


class RosterMemberView(generics.GenericAPIView[RosterEntry]):
    @extend_schema(operation_id="roster_remove", responses={204: None})
    def delete(self, request: Request, source_id: int, operator_id: int) -> Response:
        """Removes an operator from the roster; its contacts stay assigned to it."""
        source_actions.remove_from_roster(source_id=source_id, operator_id=operator_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
