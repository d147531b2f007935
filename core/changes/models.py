from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db import commit_order

LONGEST_REASON = 200


class Via(models.TextChoices):
    """Which way a change was made."""

    PAGE = "page", _("through the back-office")
    API = "api", _("through the API")
    COMMAND = "command", _("by a command")
    MESSENGER = "messenger", _("through the messenger")
    SCHEDULE = "schedule", _("by the schedule")
    RULE = "rule", _("by a rule")


class ChangeQuerySet(models.QuerySet["Change"]):
    def of_configuration(self) -> "ChangeQuerySet":
        """Without merges and erasures of leads, which stand in the same table for those who read events."""
        return self.exclude(what__startswith="lead.")

    def of_operator(self, operator_id: int) -> "ChangeQuerySet":
        """Also changes of a roster that concern several operators, this one among them."""
        of_several = Q(what="roster.changed", operator_id__isnull=True, after__has_key=str(operator_id))
        return self.filter(Q(operator_id=operator_id) | of_several)


class Change(models.Model):
    """One change of configuration: written in the transaction that made it, and never changed or deleted.

    `what` is the kind of object and what happened to it, such as `operator.changed`. `before` and `after` hold the
    fields that changed, by name; of a roster the weights by operator id, null for an operator who is not on it. Rows
    keep ids instead of references, because they outlive users. `subject` names what is neither operator nor source.
    """

    at = models.DateTimeField(_("when"), auto_now_add=True)
    by = models.CharField(_("by whom"), max_length=160)
    via = models.CharField(_("which way"), max_length=16, choices=Via)
    what = models.CharField(_("what"), max_length=40)
    operator_id = models.BigIntegerField(null=True)
    source_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=160, blank=True)
    subject_id = models.BigIntegerField(null=True)
    before: Any = models.JSONField()
    after: Any = models.JSONField()
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    reverts = models.ForeignKey("self", models.PROTECT, null=True, related_name="reverted_by")

    transaction = commit_order.transaction_field()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        permissions = [("revert_change", "Can revert changes of configuration")]
        indexes = [
            models.Index(fields=["operator_id", "id"], name="change_by_operator"),
            models.Index(fields=["source_id", "id"], name="change_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.what}"
