from django.db import migrations

from crm_router.door.roles import ADMINISTRATOR, grant


def allow(apps, schema_editor):
    grant(
        apps,
        schema_editor.connection.alias,
        ADMINISTRATOR,
        [f"access.{verb}_apikey" for verb in ("view", "add", "change")],
    )


class Migration(migrations.Migration):
    dependencies = [("crm_router", "0001_roles"), ("access", "0001_initial")]
    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
