from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db import commit_order
from operators.models import Operator
from routing.models.contact import Contact
from routing.models.source import Source, Strategy

LONGEST_NOTE = 200  # characters


class ContactEvent(models.Model):
    """One event of a contact's history: written in the transaction that made the change, and never changed.

    Events of a decision store its inputs, so that it can be explained and recomputed.
    """

    class What(models.TextChoices):
        REGISTERED = "registered", _("registered")
        DEQUEUED = "dequeued", _("taken from the queue")
        REASSIGNED = "reassigned", _("routed afresh")
        GIVEN = "given", _("given by hand")
        RETURNED = "returned", _("put back into the queue")
        HANDED_OVER = "handed_over", _("handed over")
        ACCEPTED = "accepted", _("taken")
        DECLINED = "declined", _("declined")
        TOUCHED = "touched", _("first reply")
        TIMED_OUT = "timed_out", _("not taken in time")
        RESOLVED = "resolved", _("resolved")
        REOPENED = "reopened", _("reopened")

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="history", verbose_name=_("contact"))
    at = models.DateTimeField(_("when"), auto_now_add=True)
    what = models.CharField(_("what"), max_length=12, choices=What)
    from_operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("from whom")
    )
    to_operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("to whom")
    )
    by = models.CharField(_("by whom"), max_length=160)
    reason = models.CharField(_("why"), max_length=16, null=True, choices=Contact.Waiting)
    note = models.CharField(_("in their words"), max_length=LONGEST_NOTE, null=True)  # erased with the lead
    strategy = models.CharField(_("strategy"), max_length=16, null=True, choices=Strategy)
    draw = models.FloatField(_("draw"), null=True)
    preferred = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", db_index=False)
    evidence = models.BinaryField(null=True)
    transaction = commit_order.transaction_field()

    class Meta:
        verbose_name = _("history line")
        verbose_name_plural = _("history")
        indexes = [
            models.Index(fields=["at", "id"], condition=Q(strategy__isnull=False), name="event_decisions_by_moment"),
            models.Index(fields=["at"], condition=Q(what="given"), name="event_given_by_moment"),
            models.Index(fields=["at"], condition=Q(what="reopened"), name="event_reopened_by_moment"),
            models.Index(fields=["contact"], condition=Q(note__isnull=False), name="event_with_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_what_display()}"


class Upkeep(models.Model):
    """The progress of background work: sweeping the queue, tallying hours, pruning, checking. One row."""

    swept_at = models.DateTimeField(null=True)
    ticked_at = models.DateTimeField(null=True)  # the last round of `routing.clock`, to the nearest ten seconds
    tallied_at = models.DateTimeField(null=True)
    tallied_until = models.DateTimeField(null=True)
    keys_forgotten_until = models.DateTimeField(null=True)
    pruned_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)  # the last `check_routing --deep`
    check_findings = models.PositiveIntegerField(default=0, db_default=0)  # how many sentences it has found

    def __str__(self) -> str:
        return f"swept at {self.swept_at}, tallied until {self.tallied_until}"


class Tally(models.Model):
    """`decision_sums.Sums` over the decisions of one hour, for one operator in one source.

    Most are 0 most of the time. NULL stands for 0, because it takes neither room nor time to add up.
    """

    hour = models.DateTimeField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    assigned = models.PositiveIntegerField()
    drawn = models.PositiveIntegerField(null=True)
    taken = models.PositiveIntegerField(null=True)
    by_hand = models.PositiveIntegerField(null=True)
    choices = models.PositiveIntegerField(null=True)
    broken = models.PositiveIntegerField(null=True)
    expected = models.FloatField()
    variance = models.FloatField()
    at_stake = models.FloatField(null=True)
    duty = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    given_back = models.FloatField(null=True)
    sticky = models.FloatField(null=True)
    load = models.FloatField(null=True)
    turn = models.FloatField(null=True)
    leeway = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", "source", "operator"], name="tally_once_per_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M} {self.operator_id}: {self.assigned}"
