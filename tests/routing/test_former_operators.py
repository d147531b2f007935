"""Who had which contact before is filled in from the history, for contacts of the version before."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from routing import lifecycle, taking
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db


def test_the_history_tells_who_had_a_contact_before():
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    bot = characters.source(roster={anna: 10})
    kept, given, returned = (characters.contact(bot) for _ in range(3))
    for operator in (boris, anna, boris):
        lifecycle.give_contact(contact_id=given.pk, operator_id=operator.pk)
    taking.accept_contact(contact_id=kept.pk)
    lifecycle.return_contact(contact_id=returned.pk)
    expected = dict(Contact.objects.values_list("pk", "former_operator_ids"))
    assert expected == {kept.pk: None, given.pk: [anna.pk, boris.pk], returned.pk: [anna.pk]}

    Contact.objects.update(former_operator_ids=None)
    migration = import_module("routing.migrations.0011_former_operators")
    migration.fill_former_operators(apps, connection.schema_editor())
    found = {contact.pk: contact.holder_ids for contact in Contact.objects.all()}
    assert found == {kept.pk: {anna.pk}, given.pk: {anna.pk, boris.pk}, returned.pk: {anna.pk}}
