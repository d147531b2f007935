"""The service's addresses, and the floor: what the framework takes to read, validate and answer a registration."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm_router.urls import *  # noqa: F403
from crm_router.urls import urlpatterns
from leads.api.registration import NewContactSerializer


class Floor(APIView):
    """No key, no database, no decision."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        NewContactSerializer(data=request.data).is_valid(raise_exception=True)
        return Response({}, status=201)


urlpatterns = [path("api/v1/floor", Floor.as_view()), *urlpatterns]
