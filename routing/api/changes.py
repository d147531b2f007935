from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import CHANGE_REASON, caller_author
from core.api.examples import MOMENT, answer
from core.api.fields import UTCDateTimeField
from core.api.lookup import LookupById
from core.api.old_lists import ListModelMixin
from core.changes.models import Change, Via
from routing import reverting
from routing.api.filters import ChangeFilter

EXAMPLE = {
    "id": 3,
    "at": MOMENT,
    "by": "user vera",
    "via": "page",
    "what": "operator.changed",
    "operator_id": 1,
    "source_id": None,
    "subject": None,
    "before": {"is_active": True},
    "after": {"is_active": False},
    "reason": "On leave until Monday",
    "reverts": None,
}


@extend_schema_field({"type": "object", "additionalProperties": {}})
class FieldsField(serializers.JSONField):
    """Values by the names of fields; of a roster weights by operator id."""


@extend_schema_serializer(examples=[answer(EXAMPLE)])
class ChangeSerializer(serializers.Serializer[Change]):
    id = serializers.IntegerField(read_only=True)
    at = UTCDateTimeField()
    by = serializers.CharField(read_only=True, help_text="The user or key, or `API`, `system`.")
    via = serializers.ChoiceField(Via.choices, read_only=True, help_text="Which way it was made.")
    what = serializers.CharField(read_only=True, help_text="What was changed and how, such as `roster.changed`.")
    operator_id = serializers.IntegerField(read_only=True, allow_null=True)
    source_id = serializers.IntegerField(read_only=True, allow_null=True)
    subject = serializers.SerializerMethodField(help_text="The name of a key, user or role; null for others.")
    before = FieldsField(read_only=True, help_text="The fields that changed, as they were.")
    after = FieldsField(read_only=True, help_text="The same fields, as they are since.")
    reason = serializers.SerializerMethodField(help_text="Why, as the caller said; null if nothing was said.")
    reverts = serializers.IntegerField(
        source="reverts_id", read_only=True, allow_null=True, help_text="The change that this one has taken back."
    )

    def get_subject(self, change: Change) -> str | None:
        return change.subject or None

    def get_reason(self, change: Change) -> str | None:
        return change.reason or None


@extend_schema_view(
    list=extend_schema(summary="Lists changes of configuration, newest first"),
    retrieve=extend_schema(summary="Reads a change of configuration"),
)
class ChangeViewSet(LookupById, ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Change]):
    """Who changed which operator, source, roster, key or user, when and why."""

    queryset = Change.objects.of_configuration().order_by("-id")
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    lookup_value_converter = "id"

    @extend_schema(request=None, responses=ChangeSerializer, parameters=[CHANGE_REASON])
    @action(detail=True, methods=["post"], filterset_class=None)
    def revert(self, request: Request, pk: int) -> Response:
        """Sets the old values again, unless others were set since. Answers with the new change."""
        made = reverting.revert_change(change_id=pk, author=caller_author(request))
        return Response(ChangeSerializer(made).data)
