"""Fills in who has had each contact before, from the history of those that have changed hands."""

from itertools import groupby
from typing import Any

from django.db import migrations

CHANGES_OF_HANDS = ["dequeued", "reassigned", "given", "returned", "handed_over", "reopened"]


def fill_former_operators(apps: Any, schema_editor: Any) -> None:
    database = schema_editor.connection.alias
    contacts = apps.get_model("routing", "Contact").objects.using(database)
    events = apps.get_model("routing", "ContactEvent").objects.using(database)
    moved = events.filter(what__in=CHANGES_OF_HANDS).values("contact")
    holders = events.filter(contact__in=moved, to_operator__isnull=False).order_by("contact", "to_operator").distinct()
    rows = holders.values_list("contact", "contact__operator", "to_operator")
    for (contact_id, operator_id), of_contact in groupby(rows.iterator(), key=lambda row: row[:2]):
        former = [holder for _, _, holder in of_contact if holder != operator_id]
        if former:
            contacts.filter(pk=contact_id, former_operator_ids__isnull=True).update(former_operator_ids=former)


class Migration(migrations.Migration):
    atomic = False  # each contact on its own, so that no request waits for all of them

    dependencies = [("routing", "0010_taking")]

    operations = [migrations.RunPython(fill_former_operators, migrations.RunPython.noop, elidable=True)]
