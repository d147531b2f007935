"""Administrators look after webhooks, which send data to other systems; supervisors see them and send again."""

from django.db import migrations

from accounts.roles import ADMINISTRATOR, SUPERVISOR, grant_permissions

SEE = ["notifications.view_webhook", "notifications.view_delivery", "notifications.change_delivery"]
ADMINISTER = [f"notifications.{verb}_webhook" for verb in ("add", "change", "delete")]


def grant(apps, schema_editor):
    database = schema_editor.connection.alias
    grant_permissions(apps, database, SUPERVISOR, SEE)
    grant_permissions(apps, database, ADMINISTRATOR, [*SEE, *ADMINISTER])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_changes"), ("notifications", "0001_webhooks")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
