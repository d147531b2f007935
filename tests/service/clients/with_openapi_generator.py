"""Calls the service with a client that openapi-generator has generated. Arguments: the URL, a management key."""

import sys
import time

import router_client
from router_client.exceptions import BadRequestException
from router_client.models import (
    BatchShapeRequest,
    ItemRequest,
    NewContactRequest,
    OperatorRequest,
    PatchedOperatorRequest,
    SourceRequest,
    WeightRequest,
)

unique = str(time.time_ns())
with router_client.ApiClient(router_client.Configuration(host=sys.argv[1], access_token=sys.argv[2])) as client:
    contacts, operators = router_client.ContactsApi(client), router_client.OperatorsApi(client)
    sources = router_client.SourcesApi(client)

    anna = operators.operators_create(OperatorRequest(name="Anna", max_load=10, is_active=False))
    renamed = operators.operators_partial_update(
        anna.id, patched_operator_request=PatchedOperatorRequest(name="Anna K.")
    )
    assert (renamed.is_active, renamed.max_load) == (False, 10), "A PATCH changes only what is given"
    operators.operators_partial_update(anna.id, patched_operator_request=PatchedOperatorRequest(is_active=True))
    source = sources.sources_create(SourceRequest(name=f"openapi-generator {unique}"))
    sources.roster_set(source.id, WeightRequest(operator_id=anna.id))

    message = NewContactRequest(source_id=source.id, lead_phone="8 (999) 123-45-67", message="Hello")
    contact = contacts.contacts_create(message, idempotency_key=unique)
    assert (contact.operator_id, contact.assignment.status, contact.assignment.reason) == (anna.id, "assigned", None)
    items = [ItemRequest(source_id=source.id, lead_external_id=unique), ItemRequest(source_id=source.id)]
    batch = contacts.contacts_batch(BatchShapeRequest(contacts=items))
    assert [result.status for result in batch.results] == [201, 400]
    assert batch.results[0].contact is not None
    assert batch.results[1].error is not None
    page = contacts.contacts_list(source_id=source.id, status="assigned")
    assert (len(page.results), page.next) == (2, None)
    assert contacts.contacts_resolve_create(contact.id).is_resolved
    problem = None
    try:
        contacts.contacts_create(NewContactRequest(source_id=source.id))
    except BadRequestException as error:
        problem = error.data
    assert problem is not None
    assert problem.code == "invalid"
print("works")
