from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads import intake, lifecycle
from leads.api import examples
from leads.api.fields import Moment
from leads.models import Contact


class AssignmentSerializer(serializers.Serializer[Contact]):
    status = serializers.ChoiceField(Contact.Status.choices)
    reason = serializers.ChoiceField(
        Contact.Waiting.choices,
        allow_null=True,
        source="waiting_reason",
        help_text="Why nobody has it, while it waits.",
    )
    position = serializers.IntegerField(
        allow_null=True, source="queue_position", help_text="Place in the queue of its source, 1 = next."
    )


@extend_schema_serializer(examples=examples.CONTACT)
class ContactSerializer(serializers.Serializer[Contact]):
    message = serializers.CharField(read_only=True, allow_null=True)
    id = serializers.IntegerField(read_only=True)
    lead_id = serializers.IntegerField(read_only=True)
    source_id = serializers.IntegerField(read_only=True)
    operator_id = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null when nobody is free.")
    is_resolved = serializers.BooleanField(read_only=True)
    created_at = Moment()
    updated_at = Moment()
    assignment = AssignmentSerializer(source="*", read_only=True)


@extend_schema_serializer(examples=examples.NEW_CONTACT)
class NewContactSerializer(serializers.Serializer[Contact]):
    """At least one of `lead_phone`, `lead_email` and `lead_external_id` is needed."""

    source_id = serializers.IntegerField()
    lead_phone = serializers.CharField(max_length=20, required=False, allow_null=True, allow_blank=True)
    lead_email = serializers.CharField(max_length=254, required=False, allow_null=True, allow_blank=True)
    lead_external_id = serializers.CharField(
        max_length=200,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The person's id inside the channel, such as a chat id.",
    )
    lead_name = serializers.CharField(max_length=255, required=False, allow_null=True, allow_blank=True)
    message = serializers.CharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        return ContactSerializer(instance).data


class ContactChangeSerializer(serializers.Serializer[Contact]):
    is_resolved = serializers.BooleanField(required=False, help_text="True resolves, false reopens.")
    message = serializers.CharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)

    def update(self, instance: Contact, validated_data: dict[str, Any]) -> Contact:
        return lifecycle.change_contact(contact_id=instance.pk, changes=validated_data)

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        return ContactSerializer(instance).data


class ContactViewSet(
    mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet[Contact]
):
    """Contacts: registered by bots, answered with an operator."""

    queryset = Contact.objects.all()
    http_method_names = ["get", "post", "patch"]
    lookup_value_converter = "int"

    def get_serializer_class(self) -> type[serializers.Serializer[Contact]]:
        shapes = {"create": NewContactSerializer, "partial_update": ContactChangeSerializer}
        return shapes.get(self.action, ContactSerializer)

    @extend_schema(responses={201: ContactSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Registers a contact: recognises the lead and chooses an operator by weight, in this one call."""
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer[Contact]) -> None:
        serializer.instance = intake.register_contact(**serializer.validated_data)

    @extend_schema(responses=ContactSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Corrects the message; `is_resolved` resolves or reopens."""
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(request=None, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: int) -> Response:
        """Closes the contact: its operator is free for one more. Repeating it changes nothing."""
        return Response(ContactSerializer(lifecycle.resolve_contact(contact_id=pk)).data)

    @extend_schema(request=None, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Opens it again: for the same operator if on duty and below the limit, else routed afresh."""
        return Response(ContactSerializer(lifecycle.reopen_contact(contact_id=pk)).data)
