from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.caller import caller_name
from core.api.fields import EmailField, PhoneField, TextField, UTCDateTimeField
from core.api.ids import IdField
from core.api.language import VARY
from core.api.old_lists import ListModelMixin
from core.api.streaming import join_single, render_array, render_object, stream_json
from core.db.long_texts import read_in_slices
from leads import erasure, export, lead_editing, lead_lookup, merging
from leads.api import examples
from leads.api.filters import LeadFilter
from leads.api.identities import IdentitySerializer
from leads.models import FormerName, Lead, PossibleDuplicate
from routing.api.contacts import ContactSerializer, EventSerializer
from routing.models import Contact, ContactNote


@extend_schema_serializer(examples=examples.LEAD)
class LeadSerializer(serializers.Serializer[Lead]):
    phone = serializers.CharField(allow_null=True, help_text="E.164")
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    id = serializers.IntegerField()
    created_at = UTCDateTimeField()
    updated_at = UTCDateTimeField()
    merged_into = serializers.IntegerField(
        required=False,
        source="answers_instead",
        help_text="Only when the lead that was asked for has been merged into this one, whose id it is.",
    )


@extend_schema_serializer(examples=examples.LEAD_CHANGE)
class LeadChangeSerializer(serializers.Serializer[Lead]):
    phone = PhoneField(max_length=50, required=False, allow_null=True, allow_blank=True)
    email = EmailField(max_length=254, required=False, allow_null=True, allow_blank=True)
    name = TextField(max_length=255, required=False, allow_null=True, allow_blank=True)


@extend_schema_serializer(examples=examples.OTHER_LEAD)
class OtherLeadSerializer(serializers.Serializer[Any]):
    lead_id = IdField(help_text="The lead that flows into this one.")


@extend_schema_serializer(examples=examples.DUPLICATE)
class DuplicateSerializer(serializers.Serializer[PossibleDuplicate]):
    id = serializers.IntegerField()
    lead = LeadSerializer()
    other = LeadSerializer()
    created_at = UTCDateTimeField()


class ToldLeadSerializer(LeadSerializer):
    name_added_by = serializers.CharField(
        allow_null=True, help_text="Who has given the name: a key, a user, an import."
    )
    name_added_through_source_id = serializers.IntegerField(
        allow_null=True, source="name_added_through_id", help_text="The source of the contact that gave it."
    )
    name_added_at = UTCDateTimeField(allow_null=True)


class FormerNameSerializer(serializers.Serializer[FormerName]):
    name = serializers.CharField()
    lead_id = serializers.IntegerField(help_text="This lead, or one that was merged into it.")
    added_by = serializers.CharField(allow_null=True)
    added_through_source_id = serializers.IntegerField(allow_null=True, source="added_through_id")
    added_at = UTCDateTimeField(allow_null=True)
    replaced_at = UTCDateTimeField()
    replaced_by = serializers.CharField()


class NoteSerializer(serializers.Serializer[ContactNote]):
    text = serializers.CharField()
    by = serializers.CharField()
    at = UTCDateTimeField()


class ToldContactSerializer(ContactSerializer):
    history = EventSerializer(many=True, source="history.all")
    notes = NoteSerializer(many=True, source="notes.all", help_text="What operators and supervisors wrote about it.")

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        told = {
            name: self.fields[name].to_representation(getattr(instance, name).all()) for name in ("history", "notes")
        }
        return super().to_representation(instance) | told


class MergeSerializer(serializers.Serializer[Any]):
    survivor_id = serializers.IntegerField()
    merged_id = serializers.IntegerField()
    at = UTCDateTimeField()
    by = serializers.CharField()
    undone_at = UTCDateTimeField(allow_null=True)
    undone_by = serializers.CharField(allow_null=True)


class MergedLeadSerializer(serializers.Serializer[Lead]):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_null=True)
    created_at = UTCDateTimeField()


class PairSerializer(serializers.Serializer[PossibleDuplicate]):
    lead_id = serializers.IntegerField()
    other_id = serializers.IntegerField()
    created_at = UTCDateTimeField()


@extend_schema_serializer(examples=examples.DOSSIER)
class DossierSerializer(serializers.Serializer[export.Dossier]):
    lead = ToldLeadSerializer()
    identities = IdentitySerializer(many=True)
    former_names = FormerNameSerializer(many=True)
    contacts = ToldContactSerializer(many=True, source="contact_slices")
    merged = MergedLeadSerializer(many=True)
    merges = MergeSerializer(many=True)
    possible_duplicates = PairSerializer(many=True)

    def to_representation(self, instance: export.Dossier) -> dict[str, Any]:
        """The contacts are an iterator of slices if they are many."""
        told: Any = ToldContactSerializer(many=True)
        contacts = join_single(map(told.to_representation, instance.contact_slices))
        return super().to_representation(replace(instance, contact_slices=iter(()))) | {"contacts": contacts}


@extend_schema_view(
    list=extend_schema(summary="Lists leads, newest first"), retrieve=extend_schema(summary="Reads a lead")
)
class LeadViewSet(ListModelMixin, viewsets.GenericViewSet[Lead]):
    """Leads: the clients behind the contacts. For the id of a merged lead its survivor is returned."""

    queryset = Lead.objects.current().prefetch_related("identities")
    serializer_class: Any = LeadSerializer
    filterset_class = LeadFilter
    http_method_names = ["get", "head", "post", "patch"]
    lookup_value_converter = "id"

    def lead_response(self, lead: Lead) -> Response:
        if lead.pk != self.kwargs["pk"]:
            lead.answers_instead = lead.pk  # type: ignore[attr-defined] # for this response only
        return Response(LeadSerializer(lead).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return self.lead_response(lead_lookup.find_lead(pk))

    @extend_schema(request=LeadChangeSerializer, responses=LeadSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Corrects the lead's phone, e-mail and name; null or blank removes one."""
        asked = LeadChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        lead = lead_editing.edit_lead(lead_id=pk, changes=asked.validated_data, by=caller_name(request))
        return self.lead_response(lead)

    @extend_schema(responses=ContactSerializer(many=True), filters=False)
    @action(detail=True, serializer_class=ContactSerializer, pagination_class=None, filterset_class=None)
    def contacts(self, request: Request, pk: int) -> HttpResponseBase:
        """All contacts of this lead, oldest first. Many are sent piece by piece."""
        slices = read_in_slices(lead_lookup.find_lead(pk).contacts.select_related("operator"), "message")
        serializer: Any = ContactSerializer(many=True)
        contacts = join_single(map(serializer.to_representation, slices))
        return stream_json(render_array(contacts)) if isinstance(contacts, Iterator) else Response(contacts)

    @extend_schema(request=OtherLeadSerializer, responses=LeadSerializer)
    @action(detail=True, methods=["post"], serializer_class=OtherLeadSerializer)
    def merge(self, request: Request, pk: int) -> Response:
        """Merges the other lead, which is the same person, into this one. Can be undone."""
        asked = OtherLeadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        other_id = asked.validated_data["lead_id"]
        return self.lead_response(merging.merge_leads(lead_id=pk, other_id=other_id, by=caller_name(request)))

    @extend_schema(request=None, responses=LeadSerializer)
    @action(detail=True, methods=["post"])
    def unmerge(self, request: Request, pk: int) -> Response:
        """Undoes the merge of this lead into another, or else the last merge into it. Restores the state before it."""
        return self.lead_response(merging.unmerge_lead(lead_id=pk, by=caller_name(request)))

    @extend_schema(request=None, responses=LeadSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: int) -> Response:
        """Deletes identities, name, messages and notes permanently; keeps contacts and decisions. Cannot be undone.

        Open contacts are resolved, and their places go to waiting ones.
        """
        return self.lead_response(erasure.erase_lead(lead_id=pk, by=caller_name(request)))

    @extend_schema(responses=DossierSerializer)
    @action(detail=True, serializer_class=DossierSerializer, pagination_class=None, filterset_class=None)
    def export(self, request: Request, pk: int) -> HttpResponseBase:
        """All data stored about this person. Many contacts are sent piece by piece."""
        document = dict(DossierSerializer(export.export_lead(lead_id=pk)).data)
        if isinstance(document["contacts"], Iterator):
            return stream_json(render_object(document), headers=VARY)
        return Response(document, headers=VARY)


@extend_schema_view(list=extend_schema(summary="Lists pairs of leads that may be one person"))
class DuplicateViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[PossibleDuplicate]):
    """Pairs of leads that may be one person, newest first. A supervisor merges or dismisses them."""

    queryset = (
        PossibleDuplicate.objects.undecided()
        .select_related("lead", "other")
        .prefetch_related("lead__identities", "other__identities")
    )
    serializer_class = DuplicateSerializer
    filter_backends = []
    http_method_names = ["get", "head", "post"]
    lookup_value_converter = "id"

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: int) -> Response:
        """Records that these are two different people and removes the pair from the list permanently."""
        merging.dismiss_duplicate(pair_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
