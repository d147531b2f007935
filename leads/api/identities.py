"""The identities of one lead: listed, detached, marked as shared."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import UTCDateTimeField
from leads import identity_actions, lead_lookup
from leads.api import examples
from leads.models import Identity


@extend_schema_serializer(examples=examples.IDENTITY)
class IdentitySerializer(serializers.Serializer[Identity]):
    kind = serializers.ChoiceField(Identity.Kind.choices, read_only=True)
    value = serializers.CharField(read_only=True, help_text="What is compared.")
    raw = serializers.CharField(read_only=True, help_text="As it was given.")
    source_id = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Where an id in a channel means somebody."
    )
    created_at = UTCDateTimeField()
    id = serializers.IntegerField(read_only=True)
    is_shared = serializers.BooleanField(help_text="Belongs to many people: recognises nobody by itself.")
    added_by = serializers.CharField(read_only=True, help_text="Who added it: a key, a user, an import.")
    added_through_source_id = serializers.IntegerField(
        read_only=True, allow_null=True, source="added_through_id", help_text="The source of the contact that gave it."
    )


class IdentitiesView(generics.GenericAPIView[Identity]):
    serializer_class = IdentitySerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="leads_identities_list", responses=IdentitySerializer(many=True))
    def get(self, request: Request, lead_id: int) -> Response:
        """The lead's phones, e-mails and ids in channels, with who added each; the shown ones come first."""
        identities = lead_lookup.find_lead(lead_id).identities.order_by("rank", "pk")
        return Response(self.get_serializer(identities, many=True).data)


class IdentityView(generics.GenericAPIView[Identity]):
    serializer_class = IdentitySerializer

    @extend_schema(operation_id="leads_identities_partial_update", responses=IdentitySerializer)
    def patch(self, request: Request, lead_id: int, identity_id: int) -> Response:
        """`is_shared` true: this phone, e-mail or id belongs to many people and recognises nobody by itself any more.

        False: it recognises this lead again, if no other lead has it.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        is_shared = asked.validated_data["is_shared"]
        verb = identity_actions.share_identity if is_shared else identity_actions.unshare_identity
        return Response(self.get_serializer(verb(lead_id=lead_id, identity_id=identity_id)).data)

    @extend_schema(operation_id="leads_identities_destroy", responses={204: None})
    def delete(self, request: Request, lead_id: int, identity_id: int) -> Response:
        """Detaches an identity that is not this lead's. The lead's contacts stay."""
        identity_actions.detach_identity(lead_id=lead_id, identity_id=identity_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
