"""The roles, each with the list of what it is allowed: what comes later is forbidden until a migration allows it."""

from django.db import migrations

from crm_router.door.roles import ADMINISTRATOR, OPERATOR, ROLES, SUPERVISOR, grant

ANSWER = ["operators.answer_operator"]
SUPERVISE = [
    *(f"operators.{verb}_operator" for verb in ("view", "add", "change")),
    *(f"routing.{verb}_source" for verb in ("view", "add", "change")),
    *(f"leads.{verb}_{model}" for verb in ("view", "change") for model in ("contact", "lead", "possibleduplicate")),
]
ADMINISTER = [f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")]


def make(apps, schema_editor):
    database = schema_editor.connection.alias
    grant(apps, database, OPERATOR, ANSWER)
    grant(apps, database, SUPERVISOR, SUPERVISE)
    grant(apps, database, ADMINISTRATOR, [*ANSWER, *SUPERVISE, *ADMINISTER])


def remove(apps, schema_editor):
    """Users keep their accounts, and lose what the roles allowed them."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("operators", "0002_operator_user"),
        ("routing", "0001_initial"),
        ("leads", "0001_initial"),
    ]
    operations = [migrations.RunPython(make, remove)]
