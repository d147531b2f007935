"""Supervisors and administrators see changes of configuration, and take them back."""

from django.db import migrations

from accounts.roles import ADMINISTRATOR, SUPERVISOR, grant_permissions

PERMISSIONS = ["changes.view_change", "changes.revert_change"]


def grant(apps, schema_editor):
    for role in (SUPERVISOR, ADMINISTRATOR):
        grant_permissions(apps, schema_editor.connection.alias, role, PERMISSIONS)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_messenger"), ("changes", "0001_initial")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
