"""Calls the service with a client that openapi-python-client has generated. Arguments: the URL, a management key."""

import sys
import time

from router_client import AuthenticatedClient
from router_client.api.contacts import contacts_batch, contacts_create, contacts_list, contacts_resolve_create
from router_client.api.operators import operators_create, operators_partial_update
from router_client.api.sources import roster_set, sources_create
from router_client.models import (
    BatchResults,
    BatchShapeRequest,
    Contact,
    ContactsListStatus,
    ContactStatus,
    ItemRequest,
    NewContactRequest,
    Operator,
    OperatorRequest,
    PaginatedContactList,
    PatchedOperatorRequest,
    Problem,
    Source,
    SourceRequest,
    Weight,
    WeightRequest,
)

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
unique = str(time.time_ns())

anna = operators_create.sync(client=client, body=OperatorRequest(name="Anna", max_load=10, is_active=False))
assert isinstance(anna, Operator)
renamed = operators_partial_update.sync(anna.id, client=client, body=PatchedOperatorRequest(name="Anna K."))
assert isinstance(renamed, Operator)
assert (renamed.is_active, renamed.max_load) == (False, 10), "A PATCH changes only what is given"
operators_partial_update.sync(anna.id, client=client, body=PatchedOperatorRequest(is_active=True))
source = sources_create.sync(client=client, body=SourceRequest(name=f"openapi-python-client {unique}"))
assert isinstance(source, Source)
weight = roster_set.sync(source.id, client=client, body=WeightRequest(operator_id=anna.id))
assert isinstance(weight, Weight)

message = NewContactRequest(source_id=source.id, lead_phone="8 (999) 123-45-67", message="Hello")
contact = contacts_create.sync(client=client, body=message, idempotency_key=unique)
assert isinstance(contact, Contact)
assert (contact.operator_id, contact.assignment.status, contact.assignment.reason) == (
    anna.id,
    ContactStatus.ASSIGNED,
    None,
)
items = [ItemRequest(source_id=source.id, lead_external_id=unique), ItemRequest(source_id=source.id)]
batch = contacts_batch.sync(client=client, body=BatchShapeRequest(contacts=items))
assert isinstance(batch, BatchResults)
assert [result.status for result in batch.results] == [201, 400]
assert isinstance(batch.results[0].contact, Contact)
assert isinstance(batch.results[1].error, Problem)
page = contacts_list.sync(client=client, source_id=source.id, status=ContactsListStatus.ASSIGNED)
assert isinstance(page, PaginatedContactList)
assert (len(page.results), page.next_) == (2, None)
resolved = contacts_resolve_create.sync(contact.id, client=client)
assert isinstance(resolved, Contact)
assert resolved.is_resolved
refused = contacts_create.sync(client=client, body=NewContactRequest(source_id=source.id))
assert isinstance(refused, Problem)
assert refused.code == "invalid"
print("works")
