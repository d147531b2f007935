from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.fields import KnownFieldsOnly, MendedTextField, TextField, UTCDateTimeField
from core.api.ids import IdField
from core.api.language import VARY
from core.api.lookup import LookupById
from core.api.old_lists import ListModelMixin
from core.api.pagination import PagesOfTexts
from core.errors import FieldError
from core.moments import format_utc
from leads import contact_editing, warnings
from operators.models import Operator
from routing import explanation, history, lifecycle, queue_stats, taking
from routing.api import examples
from routing.api.filters import ContactFilter
from routing.models import Contact, ContactEvent


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
    accepted_at = UTCDateTimeField(allow_null=True)
    due_at = UTCDateTimeField(allow_null=True)
    offers = serializers.IntegerField(help_text="How many operators have had it.")
    opens_at = UTCDateTimeField(allow_null=True)


class WarningSerializer(serializers.Serializer[FieldError]):
    """What was wrong with the input of a contact that was registered all the same."""

    field = serializers.CharField()
    code = serializers.ChoiceField(warnings.CODES)
    detail = serializers.CharField()


class ContactOperatorSerializer(serializers.Serializer[Operator]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    external_ref = serializers.CharField(allow_null=True, help_text="The id in your own systems.")


class ContactListSerializer(serializers.ListSerializer[Any]):
    def to_representation(self, data: Any) -> list[Any]:
        contacts = queue_stats.add_positions(data)
        queue_stats.add_openings(contacts)
        queue_stats.add_operators(contacts)
        return super().to_representation(contacts)


@extend_schema_serializer(examples=examples.CONTACT)
class ContactSerializer(serializers.Serializer[Contact]):
    message = serializers.CharField(read_only=True, allow_null=True)
    id = serializers.IntegerField(read_only=True)
    lead_id = serializers.IntegerField(read_only=True)
    source_id = serializers.IntegerField(read_only=True)
    operator_id = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null when nobody is free.")
    is_resolved = serializers.BooleanField(read_only=True)
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    assignment = AssignmentSerializer(source="*", read_only=True)
    operator = ContactOperatorSerializer(source="handler", read_only=True, allow_null=True)
    warnings = WarningSerializer(many=True, read_only=True)

    class Meta:
        list_serializer_class = ContactListSerializer

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        """Must equal what the fields give. DRF would copy them for each response, a tenth of a registration's cost."""
        operator = instance.handler if instance.operator_id else None
        return {
            "message": instance.message,
            "id": instance.pk,
            "lead_id": instance.lead_id,
            "source_id": instance.source_id,
            "operator_id": instance.operator_id,
            "is_resolved": instance.is_resolved,
            "created_at": format_utc(instance.created_at),
            "updated_at": format_utc(instance.updated_at),
            "assignment": {
                "status": instance.status.value,
                "reason": instance.waiting_reason,
                "position": instance.queue_position,
                "accepted_at": instance.accepted_at and format_utc(instance.accepted_at),
                "due_at": instance.due_at and format_utc(instance.due_at),
                "offers": instance.offers,
                "opens_at": instance.opens_at and format_utc(instance.opens_at),
            },
            "operator": operator and {"id": operator.pk, "name": operator.name, "external_ref": operator.external_ref},
            "warnings": [asdict(one) for one in warnings.list_warnings(instance)],
        }


# Shared by all requests, as others below: creating a serializer costs more than using it.
CONTACT = ContactSerializer()


def answer(contact: Contact) -> Response:
    return Response(CONTACT.to_representation(contact))


@extend_schema_serializer(examples=examples.CONTACT_CHANGE)
class ContactChangeSerializer(serializers.Serializer[Contact]):
    is_resolved = serializers.BooleanField(required=False, help_text="True resolves, false reopens.")
    message = MendedTextField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)

    def update(self, instance: Contact, validated_data: dict[str, Any]) -> Contact:
        return contact_editing.edit_contact(
            contact_id=instance.pk, changes=validated_data, by=caller_name(self.context["request"])
        )

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        return CONTACT.to_representation(instance)


@extend_schema_serializer(examples=examples.RESOLVE)
class ResolveSerializer(serializers.Serializer[Contact]):
    expected_operator_id = IdField(
        required=False,
        allow_null=True,
        help_text="If the contact is with somebody else, nothing is changed: 409 `taken_away`. Null expects nobody.",
    )


@extend_schema_serializer(examples=examples.REASSIGN)
class ReassignSerializer(KnownFieldsOnly, ResolveSerializer):
    """Empty: routes the contact to another operator by the rule. `operator_id` null: returns it to the queue."""

    operator_id = IdField(required=False, allow_null=True, help_text="To this person, by hand.")
    force = serializers.BooleanField(default=False, help_text="Even off duty or beyond the limit.")


@extend_schema_serializer(examples=examples.DECLINE)
class DeclineSerializer(ResolveSerializer):
    reason = TextField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=taking.LONGEST_REASON,
        help_text="The operator's words, kept in the history.",
    )


RESOLVE: Any = ResolveSerializer()
REASSIGN: Any = ReassignSerializer()
DECLINE: Any = DeclineSerializer()


class CandidateSerializer(serializers.Serializer[Any]):
    operator_id = serializers.IntegerField()
    name = serializers.CharField()
    weight = serializers.IntegerField()
    load = serializers.IntegerField()
    max_load = serializers.IntegerField()
    eligible = serializers.BooleanField()
    reason = serializers.CharField(
        allow_null=True,
        help_text="Why not: inactive, full, capped: has had enough for this hour or day, paced: gets the next one from "
        "the queue later, or excluded: gave this one back, has it now, or older contacts wait for it.",
    )
    probability = serializers.FloatField()


@extend_schema_serializer(examples=examples.DECISION)
class DecisionSerializer(serializers.Serializer[Any]):
    cause = serializers.ChoiceField(sorted(set(history.CAUSES.values())))
    at = UTCDateTimeField()
    strategy = serializers.CharField()
    draw = serializers.FloatField(allow_null=True)
    chosen = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    candidates = CandidateSerializer(many=True)
    text = serializers.CharField(help_text="The same in a sentence.")
    next_place_at = UTCDateTimeField(allow_null=True)


@extend_schema_serializer(examples=examples.EVENT)
class EventSerializer(serializers.Serializer[ContactEvent]):
    at = UTCDateTimeField()
    what = serializers.ChoiceField(ContactEvent.What.choices)
    from_operator_id = serializers.IntegerField(allow_null=True)
    to_operator_id = serializers.IntegerField(allow_null=True)
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_null=True, help_text="Why, in the operator's words.")
    text = serializers.SerializerMethodField(help_text="The same in a sentence.")

    def get_text(self, event: ContactEvent) -> str:
        return explanation.event_text(event)


@extend_schema_view(
    list=extend_schema(summary="Lists contacts, newest first"), retrieve=extend_schema(summary="Reads a contact")
)
class ContactViewSet(
    LookupById,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    ListModelMixin,
    viewsets.GenericViewSet[Contact],
):
    """Contacts: everything but registration, which `leads.api.registration` adds."""

    queryset = Contact.objects.select_related("operator")
    serializer_class: Any = ContactSerializer
    filterset_class = ContactFilter
    pagination_class = PagesOfTexts
    http_method_names = ["get", "head", "post", "patch"]
    lookup_value_converter = "id"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Contact]]:
        shapes: dict[str, Any] = {"partial_update": ContactChangeSerializer}
        return shapes.get(self.action) or super().get_serializer_class()

    @extend_schema(responses=ContactSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Corrects the message; `is_resolved` resolves or reopens."""
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(request=ResolveSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], serializer_class=ResolveSerializer)
    def resolve(self, request: Request, pk: int) -> Response:
        """Closes the contact, which frees a place of its operator. Repeating it changes nothing."""
        asked = RESOLVE.run_validation(request.data)
        return answer(lifecycle.resolve_contact(contact_id=pk, by=caller_name(request), **asked))

    @extend_schema(request=None, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Opens the contact again: for the same operator if on duty and below the limit, else routed again."""
        return answer(lifecycle.reopen_contact(contact_id=pk, by=caller_name(request)))

    @extend_schema(request=ReassignSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], serializer_class=ReassignSerializer)
    def reassign(self, request: Request, pk: int) -> Response:
        """Assigns the contact to a given operator, to another operator by the rule, or returns it to the queue."""
        asked = REASSIGN.run_validation(request.data)
        return answer(lifecycle.reassign_contact(contact_id=pk, by=caller_name(request), **asked))

    @extend_schema(request=ResolveSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], serializer_class=ResolveSerializer)
    def accept(self, request: Request, pk: int) -> Response:
        """The operator has seen the contact and takes it. Repeating it changes nothing."""
        asked = RESOLVE.run_validation(request.data)
        return answer(taking.accept_contact(contact_id=pk, by=caller_name(request), **asked))

    @extend_schema(request=DeclineSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], serializer_class=DeclineSerializer)
    def decline(self, request: Request, pk: int) -> Response:
        """The operator gives the contact back: it goes to somebody who has not had it, or to the queue."""
        asked = DECLINE.run_validation(request.data)
        return answer(taking.decline_contact(contact_id=pk, by=caller_name(request), **asked))

    @extend_schema(request=ResolveSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], serializer_class=ResolveSerializer)
    def touch(self, request: Request, pk: int) -> Response:
        """The operator has replied to the client, which also takes the contact. Only the first reply counts."""
        asked = RESOLVE.run_validation(request.data)
        return answer(taking.touch_contact(contact_id=pk, by=caller_name(request), **asked))

    @extend_schema(responses=DecisionSerializer)
    @action(detail=True, filterset_class=None)
    def decision(self, request: Request, pk: int) -> Response:
        """Explains why this operator was chosen, or why no operator was."""
        return Response(DecisionSerializer(explanation.explain_decision(contact_id=pk)).data, headers=VARY)

    @extend_schema(responses=EventSerializer(many=True))
    @action(detail=True, serializer_class=EventSerializer, pagination_class=None, filterset_class=None)
    def history(self, request: Request, pk: int) -> Response:
        """The history of the contact, oldest event first."""
        return Response(self.get_serializer(explanation.list_events(contact_id=pk), many=True).data, headers=VARY)
