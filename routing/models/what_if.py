from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WhatIf(models.Model):
    """A question what would have been, worked off in the background (`routing.what_if`).

    `asked`: source_id, from, to, and what is to be different. `reason`: why it was refused, as a code with its numbers.
    `before` and `after`: as the API answers them. A worker has it until `taken_until`; afterwards another one starts it
    again, in case the first has died.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    asked = models.JSONField()
    by = models.CharField(max_length=160)
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    reason = models.JSONField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    taken_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("what-if")
        verbose_name_plural = _("what-ifs")
        indexes = [models.Index(fields=["id"], condition=Q(status="running"), name="what_if_running")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.status}"
