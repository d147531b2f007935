from django.db import migrations
from django.db.models import Q
from django.utils import timezone


def carry_over(apps, schema_editor):
    """Pauses that run go on in the operator's row, unless somebody has changed the duty since."""
    Pause = apps.get_model("messenger", "Pause")
    Operator = apps.get_model("operators", "Operator")
    Change = apps.get_model("changes", "Change")
    for pause in Pause.objects.all():
        duty = Change.objects.filter(operator_id=pause.operator_id, after__has_key="is_active").order_by("-pk").first()
        if duty is None or (duty.via, duty.reason, duty.after["is_active"]) != ("messenger", "pause", False):
            continue
        until = max(pause.until, timezone.now())
        paused = Operator.objects.filter(pk=pause.operator_id, is_active=False, archived_at=None, paused_until=None)
        if paused.update(paused_until=until, was_active=True):
            later = Q(next_edge_at=None) | Q(next_edge_at__gt=until)
            Operator.objects.filter(later, pk=pause.operator_id).update(next_edge_at=until)


class Migration(migrations.Migration):
    dependencies = [
        ("messenger", "0002_messages_sent"),
        ("operators", "0003_time"),
        ("changes", "0002_transaction"),
    ]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.DeleteModel(name="Pause"),
    ]
