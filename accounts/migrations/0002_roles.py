"""The roles, each with the list of what it is allowed: what comes later is forbidden until a migration allows it."""

from django.db import migrations

from accounts.roles import ADMINISTRATOR, OPERATOR, ROLES, SUPERVISOR, grant_permissions

ANSWER = ["operators.answer_operator"]
SUPERVISE = [
    *(f"operators.{verb}_operator" for verb in ("view", "add", "change")),
    *(f"routing.{verb}_source" for verb in ("view", "add", "change")),
    *(f"routing.{verb}_contact" for verb in ("view", "change")),
    *(f"leads.{verb}_{model}" for verb in ("view", "change") for model in ("lead", "possibleduplicate")),
    *(f"messenger.{verb}_channel" for verb in ("view", "add", "change")),
    "messenger.view_notice",
    "messenger.view_alarm",
    "changes.view_change",
    "changes.revert_change",
    "notifications.view_webhook",
    *(f"notifications.{verb}_delivery" for verb in ("view", "change")),
]
ADMINISTER = [
    *(f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")),
    *(f"access.{verb}_apikey" for verb in ("view", "add", "change")),
    *(f"notifications.{verb}_webhook" for verb in ("add", "change", "delete")),
]


def make(apps, schema_editor):
    database = schema_editor.connection.alias
    grant_permissions(apps, database, OPERATOR, ANSWER)
    grant_permissions(apps, database, SUPERVISOR, SUPERVISE)
    grant_permissions(apps, database, ADMINISTRATOR, [*ANSWER, *SUPERVISE, *ADMINISTER])


def remove(apps, schema_editor):
    """Users keep their accounts, and lose what the roles allowed them."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    # Databases of the time before 0.1.0 have these.
    replaces = [
        ("accounts", "0001_roles"),
        ("accounts", "0002_messenger"),
        ("accounts", "0003_changes"),
        ("accounts", "0004_webhooks"),
    ]

    dependencies = [
        ("access", "0001_initial"),
        ("accounts", "0001_initial"),
        ("changes", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("leads", "0002_initial"),
        ("messenger", "0001_initial"),
        ("notifications", "0001_initial"),
    ]
    operations = [migrations.RunPython(make, remove)]
