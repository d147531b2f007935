from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import Direction, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.fields import NOT_BLANK, EmailField, PhoneField
from core.api.ids import IdField
from leads import registration
from leads.api import examples, idempotency_key
from leads.validation import LONGEST
from routing.api.contacts import CONTACT, ContactSerializer, ContactViewSet
from routing.models import Contact


@extend_schema_serializer(examples=examples.NEW_CONTACT)
class NewContactSerializer(serializers.Serializer[Contact]):
    """At least one of `lead_phone`, `lead_email` and `lead_external_id` is needed."""

    source_id = IdField()
    lead_phone = PhoneField(max_length=LONGEST["lead_phone"], required=False, allow_null=True, allow_blank=True)
    lead_email = EmailField(max_length=LONGEST["lead_email"], required=False, allow_null=True, allow_blank=True)
    lead_external_id = serializers.CharField(
        max_length=LONGEST["lead_external_id"],
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The person's id inside the channel, such as a chat id.",
    )
    lead_name = serializers.CharField(
        max_length=LONGEST["lead_name"], required=False, allow_null=True, allow_blank=True
    )
    message = serializers.CharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)


NEW_CONTACT: Any = NewContactSerializer()  # shared by all requests: creating it costs more than using it


class AnyOneIdentity(OpenApiSerializerExtension):  # type: ignore[no-untyped-call] # drf-spectacular has no types
    """States in the schema what registration requires: at least one of the three identities, not blank."""

    target_class = NewContactSerializer

    def map_serializer(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1}
        given = {"lead_phone": text, "lead_email": text, "lead_external_id": text | {"pattern": NOT_BLANK}}
        any_one = [{"required": [name], "properties": {name: schema}} for name, schema in given.items()]
        return super().map_serializer(auto_schema, direction) | {"anyOf": any_one}


class RegistrationViewSet(ContactViewSet):
    """Contacts: registered by bots; the response names the operator."""

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Contact]]:
        return NewContactSerializer if self.action == "create" else super().get_serializer_class()

    @extend_schema(parameters=idempotency_key.PARAMETERS, responses={201: ContactSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Registers a contact: recognises the lead and chooses an operator by weight, in this one call."""
        asked = NEW_CONTACT.run_validation(request.data)
        contact = registration.register_contact(
            by=caller_name(request),
            idempotency_key=idempotency_key.read_idempotency_key(request),
            **asked,
        )
        headers = {idempotency_key.REPLAYED: "true"} if contact.is_replay else {}
        return Response(CONTACT.to_representation(contact), status=201, headers=headers)
