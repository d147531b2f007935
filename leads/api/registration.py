from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.fields import EmailField, MendedTextField, PhoneField, TextField
from core.api.ids import IdField
from leads import registration
from leads.api import examples, idempotency_key
from leads.validation import LONGEST, LONGEST_MESSAGE
from routing.api.contacts import CONTACT, ContactSerializer, ContactViewSet
from routing.models import Contact


@extend_schema_field({"type": "string", "maxLength": LONGEST["lead_external_id"]})
class ExternalIdField(TextField): ...


@extend_schema_serializer(examples=examples.NEW_CONTACT)
class NewContactSerializer(serializers.Serializer[Contact]):
    """At least one of `lead_phone`, `lead_email` and `lead_external_id` is needed."""

    # The schema does not say so by `anyOf`: generators of clients take it for alternatives to these fields, and lose
    # them.

    source_id = IdField()
    # An identity that is too long is set aside by the domain if there is another one.
    lead_phone = PhoneField(required=False, allow_null=True, allow_blank=True)
    lead_email = EmailField(required=False, allow_null=True, allow_blank=True)
    lead_external_id = ExternalIdField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The person's id inside the channel, such as a chat id.",
    )
    lead_name = MendedTextField(max_length=LONGEST["lead_name"], required=False, allow_null=True, allow_blank=True)
    message = MendedTextField(
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text=f"What is longer than {LONGEST_MESSAGE} characters is cut, with a warning.",
    )


NEW_CONTACT: Any = NewContactSerializer()  # shared by all requests: creating it costs more than using it


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
