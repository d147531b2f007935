"""`GET /events`: the feed for callers that cannot be called back."""

import random
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import own_source_id
from core.api.examples import MOMENT, answer
from core.api.fields import UTCDateTimeField, translate_limits
from core.api.ids import IdField
from core.moments import format_utc
from notifications import feed, long_polls
from notifications.cursors import Cursor
from notifications.event_data import CONTACT_TYPES
from routing.api import examples

PAGE = 200
RETRY_AFTER = (3, 7)  # seconds until a caller that did not wait should ask again; random, so that not all come at once

DATA = {name: value for name, value in examples.ASSIGNED.items() if name != "message"}
EXAMPLE = {
    "events": [
        {
            "id": 8,
            "type": "contact.assigned",
            "at": MOMENT,
            "data": DATA | {"from_operator_id": None, "by": "key crm_0a1b2c3d4e5f", "cause": "intake"},
        }
    ],
    "cursor": "742-742-0-0-1795776000",
}


@extend_schema_field({"type": "string", "format": "event-cursor"})
class CursorField(serializers.CharField):
    def to_internal_value(self, data: Any) -> Any:
        try:
            return Cursor.parse(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(
                _("This is not a cursor. Take it from an earlier answer, or 0 for the beginning."), code="invalid"
            ) from error


ANY_TYPE = "|".join(re.escape(name) for name in feed.TYPES)


@extend_schema_field({"type": "string", "pattern": f"^({ANY_TYPE})(,({ANY_TYPE}))*$"})
class TypesField(serializers.CharField):
    def to_internal_value(self, data: Any) -> Any:
        types = [name.strip() for name in super().to_internal_value(data).split(",")]
        unknown = [name for name in types if name not in feed.TYPES]
        if unknown:
            raise serializers.ValidationError(
                _("“%(name)s” is not a type of events (expected some of: %(types)s).")
                % {"name": unknown[0], "types": ", ".join(feed.TYPES)},
                code="invalid",
            )
        return types


class AskedSerializer(serializers.Serializer[Any]):
    after = CursorField(
        required=False,
        help_text="The `cursor` of an earlier answer; 0: the oldest events that are kept. Without it: from now on.",
    )
    types = TypesField(required=False, help_text="Only events of these types, with commas between them.")
    source_id = IdField(required=False, help_text="Only events of this source.")
    wait = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=long_polls.LONGEST,
        help_text="Up to how many seconds to wait for an event.",
    )


ASKED = AskedSerializer()
translate_limits(ASKED.fields["wait"])


@extend_schema_field({"type": "object", "additionalProperties": {}})
class DataField(serializers.JSONField):
    """Of a contact event the contact as it was, without `message`; of others what was changed."""


class FeedEventSerializer(serializers.Serializer[feed.Event]):
    id = serializers.IntegerField(help_text="Unique among all events.")
    type = serializers.ChoiceField(feed.TYPES)
    at = UTCDateTimeField()
    data = DataField()  # type: ignore[assignment] # it hides an attribute that only responses use


@extend_schema_serializer(examples=[answer(EXAMPLE)])
class FeedSerializer(serializers.Serializer[Any]):
    events = FeedEventSerializer(many=True)
    cursor = serializers.CharField(help_text="For `after` of the next call.")


class EventsView(generics.GenericAPIView[Any]):
    serializer_class = FeedSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(
        operation_id="events_list",
        summary="Lists events, oldest first, and waits for new ones",
        parameters=[
            AskedSerializer,
            OpenApiParameter(
                "Retry-After", int, OpenApiParameter.HEADER, response=True, description="Seconds, if it did not wait."
            ),
        ],
        responses=FeedSerializer,
    )
    def get(self, request: Request) -> Response:
        """What has happened since `after`, at most 200 events. Nothing is left out or comes twice from one cursor, and
        the events of one contact come in order. With `wait` the call stays open until there is an event; if too many
        calls wait or come already, it answers immediately, with `Retry-After`."""
        return answer_events(request, **read_query(request.query_params))


def read_query(given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that are known and not blank; a blank `after` is an error, because who has lost the cursor would
    miss events. A serializer of its own for each call would cost more than all the rest of it, so one is shared. Raises
    ValidationError."""
    values: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, field in ASKED.fields.items():
        text = given.get(name, "")
        if text or (name == "after" and name in given):
            try:
                values[name] = field.run_validation(text)
            except serializers.ValidationError as error:
                errors[name] = error.detail
    if errors:
        raise serializers.ValidationError(errors)
    return values


def answer_events(
    request: Request,
    *,
    wait: int = 0,
    after: Cursor | None = None,
    types: list[str] | None = None,
    source_id: int | None = None,
) -> Response:
    """A source key gets the contact events of its own source, and nothing of another one."""
    own = own_source_id(request)
    if own is not None:
        types = [name for name in types or CONTACT_TYPES if name in CONTACT_TYPES and source_id in (None, own)]
        source_id = own
    found = long_polls.wait_for_events(
        after=feed.latest_cursor() if after is None else after,
        limit=PAGE,
        types=types,
        source_id=source_id,
        seconds=wait,
    )
    # Must equal what the serializers give, which would copy their fields for each answer.
    events = [
        {"id": event.id, "type": event.type, "at": format_utc(event.at), "data": event.data} for event in found.events
    ]
    body = {"events": events, "cursor": str(found.cursor)}
    return Response(body, headers={"Retry-After": str(random.randint(*RETRY_AFTER))} if found.should_pause else {})
