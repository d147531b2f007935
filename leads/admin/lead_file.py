"""The API's export of a lead, as a file to download from the back-office."""

import logging
from collections.abc import Iterator

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from core.api.streaming import render_object, stream_json
from leads import export
from leads.api.leads import DossierSerializer
from leads.models import Lead

log = logging.getLogger(__name__)


@permission_required("leads.change_lead", raise_exception=True)
def download_lead(request: HttpRequest, lead_id: int) -> HttpResponseBase:
    """All data stored about a lead, as a JSON file to hand to that person."""
    get_object_or_404(Lead, pk=lead_id)
    dossier = export.export_lead(lead_id=lead_id)
    log.info("Lead %s was exported by %s", dossier.lead.pk, f"user {request.user.pk}")
    document = dict(DossierSerializer(dossier).data)
    headers = {"Content-Disposition": f'attachment; filename="lead-{dossier.lead.pk}.json"'}
    if isinstance(document["contacts"], Iterator):
        return stream_json(render_object(document), headers=headers)
    return JsonResponse(document, headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 2})
