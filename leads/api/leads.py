from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads import correction
from leads.api import examples
from leads.api.contacts import ContactSerializer
from leads.api.fields import EmailField, Moment, PhoneField
from leads.models import Lead


@extend_schema_serializer(examples=examples.LEAD)
class LeadSerializer(serializers.Serializer[Lead]):
    phone = PhoneField(max_length=20, required=False, allow_null=True, allow_blank=True, help_text="E.164")
    email = EmailField(max_length=254, required=False, allow_null=True, allow_blank=True)
    name = serializers.CharField(max_length=255, required=False, allow_null=True, allow_blank=True)
    id = serializers.IntegerField(read_only=True)
    created_at = Moment()
    updated_at = Moment()

    def update(self, instance: Lead, validated_data: dict[str, Any]) -> Lead:
        return correction.correct_lead(lead_id=instance.pk, changes=validated_data)


class LeadViewSet(mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet[Lead]):
    """Leads: the clients behind the contacts."""

    queryset = Lead.objects.prefetch_related("identities")
    serializer_class = LeadSerializer
    http_method_names = ["get", "head", "patch"]
    lookup_value_converter = "id"

    @extend_schema(responses=ContactSerializer(many=True))
    @action(detail=True, serializer_class=ContactSerializer, pagination_class=None)
    def contacts(self, request: Request, pk: int) -> Response:
        """All contacts of this lead, oldest first."""
        lead = self.get_object()
        return Response(self.get_serializer(lead.contacts.order_by("pk"), many=True).data)
