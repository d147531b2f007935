from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.fields import TextField
from core.api.language import VARY
from leads import batch
from leads.api import examples
from leads.api.idempotency_key import LONGEST
from leads.api.registration import NewContactSerializer
from routing.api.contacts import ContactListSerializer, ContactSerializer
from routing.models import Contact

MOST = 500


class ItemSerializer(NewContactSerializer):
    """One contact, as for `POST /contacts`."""

    idempotency_key = TextField(
        max_length=LONGEST, required=False, allow_null=True, help_text="What the header is for a single contact."
    )


class BatchSerializer(serializers.Serializer[Any]):
    contacts = serializers.ListField(
        max_length=MOST, help_text="Decided in order; a bad item does not affect the others."
    )


@extend_schema_serializer(examples=examples.BATCH)
class BatchShape(serializers.Serializer[Any]):
    """The batch in the schema. At run time each item is validated separately."""

    contacts = serializers.ListField(child=ItemSerializer(), max_length=MOST)


@extend_schema_field({"$ref": "#/components/schemas/Problem"})
class ProblemField(serializers.JSONField): ...


class ResultSerializer(serializers.Serializer[Any]):
    """Either `contact` or `error`."""

    index = serializers.IntegerField(help_text="Place in the batch, from 0.")
    status = serializers.IntegerField(help_text="What this contact alone would have been answered with: 201, 400, ...")
    contact = ContactSerializer(required=False)
    replayed = serializers.BooleanField(required=False, help_text="The contact that this key has made before.")
    error = ProblemField(required=False)


@extend_schema_serializer(examples=examples.RESULTS)
class BatchResultsSerializer(serializers.Serializer[Any]):
    results = ResultSerializer(many=True)


def read_item(shape: ItemSerializer, given: Any) -> dict[str, Any] | ValidationError:
    """The validated fields of one item, or its validation error."""
    try:
        fields: dict[str, Any] = shape.run_validation(given)
    except ValidationError as error:
        return error
    return fields


class BatchView(generics.GenericAPIView[Contact]):
    serializer_class = BatchSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="contacts_batch", request=BatchShape, responses={200: BatchResultsSerializer})
    def post(self, request: Request) -> Response:
        """Registers up to 500 contacts, decided one by one in order, each with its own result.

        For the rate limit, each contact counts as one call.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        item = ItemSerializer()  # shared by all items: creating it costs more than using it
        answers: list[Any] = [read_item(item, given) for given in asked.validated_data["contacts"]]
        places = [place for place, answer in enumerate(answers) if isinstance(answer, dict)]
        registered = batch.register_contacts(items=[answers[place] for place in places], by=caller_name(request))
        for place, result in zip(places, registered, strict=True):
            answers[place] = result
        return Response({"results": self.results(answers)}, headers=VARY)

    def calls_in(self, request: Request) -> int:
        """The number of contacts, for the throttle; if it exceeds the limit, none of them is registered."""
        asked = request.data if request.method == "POST" else None  # others are answered 405
        contacts = asked.get("contacts") if isinstance(asked, dict) else None
        return len(contacts) if isinstance(contacts, list) and 1 <= len(contacts) <= MOST else 1

    def results(self, answers: list[Any]) -> list[dict[str, Any]]:
        contacts = [answer for answer in answers if isinstance(answer, Contact)]
        shown = iter(ContactListSerializer(contacts, child=ContactSerializer()).data)
        return [
            {"index": index, "status": 201, "contact": next(shown)} | ({"replayed": True} if answer.is_replay else {})
            if isinstance(answer, Contact)
            else {"index": index} | self.problem(answer)
            for index, answer in enumerate(answers)
        ]

    def problem(self, error: Exception) -> dict[str, Any]:
        """The status and problem document that a request with this item alone would have received."""
        answer = self.get_exception_handler()(error, self.get_exception_handler_context())
        if answer is None:
            raise error
        return {"status": answer.status_code, "error": answer.data}
