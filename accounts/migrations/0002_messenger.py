"""What the roles are allowed: supervisors look after channels, and see what was sent and which alarms there were."""

from django.db import migrations

from accounts.roles import ADMINISTRATOR, SUPERVISOR, grant_permissions

ALLOWED = [
    *(f"messenger.{verb}_channel" for verb in ("view", "add", "change")),
    "messenger.view_notice",
    "messenger.view_alarm",
]


def allow(apps, schema_editor):
    for role in (SUPERVISOR, ADMINISTRATOR):
        grant_permissions(apps, schema_editor.connection.alias, role, ALLOWED)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_roles"), ("messenger", "0001_messages")]
    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
