"""Recovery codes were kept as they are, and are too short to be kept as digests. Their owners make new ones."""

from django.db import migrations


def forget(apps, schema_editor):
    tokens = apps.get_model("otp_static", "StaticToken").objects.using(schema_editor.connection.alias)
    tokens.all().delete()


class Migration(migrations.Migration):
    dependencies = [("crm_router", "0002_administrators_make_keys"), ("otp_static", "0003_add_timestamps")]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
