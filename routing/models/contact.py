from datetime import datetime

from django.db import Error, models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from core.db.compiled import Select
from operators.models import Operator
from routing.models.source import Source

OPEN = Q(operator__isnull=False, resolved_at__isnull=True)
WAITING = Q(operator__isnull=True, resolved_at__isnull=True)


class ContactQuerySet(models.QuerySet["Contact"]):
    def open(self) -> "ContactQuerySet":
        """Assigned and unresolved: what an operator's load counts."""
        return self.filter(OPEN)

    def waiting(self) -> "ContactQuerySet":
        """The queue."""
        return self.filter(WAITING)

    def untaken(self) -> "ContactQuerySet":
        """Assigned to an operator who has not taken it yet."""
        return self.open().filter(accepted_at__isnull=True)

    def overdue(self) -> "ContactQuerySet":
        """Not taken in time, and not taken away yet."""
        return self.filter(due_at__lte=timezone.now())

    def resolved(self) -> "ContactQuerySet":
        return self.filter(resolved_at__isnull=False)

    def with_status(self, status: "Contact.Status") -> "ContactQuerySet":
        adjective = {"waiting": self.waiting, "assigned": self.open, "resolved": self.resolved}[status]
        return adjective()


class Contact(models.Model):
    """One message of a lead. Created by `leads.registration`, changed by `routing.lifecycle`."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASSIGNED = "assigned", _("assigned")
        RESOLVED = "resolved", _("resolved")

    class Waiting(models.TextChoices):
        """Why the contact has no operator."""

        NO_OPERATORS = "no_operators", _("the source has no roster")
        ALL_INACTIVE = "all_inactive", _("everybody is off duty")
        ALL_FULL = "all_full", _("everybody is at the limit")
        NONE_AVAILABLE = "none_available", _("nobody is available")
        SOURCE_CLOSED = "source_closed", _("the source is closed")
        RETURNED = "returned", _("put back by hand")
        ALL_CAPPED = "all_capped", _("everybody had enough for now")
        CLOSED_HOURS = "closed_hours", _("outside opening hours")
        NOBODY_REACTED = "nobody_reacted", _("nobody has reacted")

    lead = models.ForeignKey("leads.Lead", models.PROTECT, related_name="contacts", verbose_name=_("lead"))
    source = models.ForeignKey(
        Source, models.PROTECT, related_name="contacts", verbose_name=_("source"), db_index=False
    )
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, related_name="contacts", verbose_name=_("operator"), db_index=False
    )
    message = models.TextField(_("message"), null=True)
    warnings = models.JSONField(_("warnings"), null=True, editable=False)  # see `leads.warnings`; null: none
    waiting_reason = models.CharField(_("reason"), max_length=16, null=True, choices=Waiting, editable=False)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True, editable=False)
    idempotency_fingerprint = models.BinaryField(max_length=16, null=True)
    assigned_at = models.DateTimeField(_("assigned at"), null=True)
    is_forced = models.BooleanField(_("beyond the limit, by hand"), default=False)
    accepted_at = models.DateTimeField(_("taken at"), null=True)  # by the present operator
    first_reaction_at = models.DateTimeField(_("first reply at"), null=True)  # of the present operator to the client
    # When it is taken away from an operator who has not taken it; null: never. While the operator is off duty the clock
    # stands still: `due_at` is null, and `due_left` has the seconds that are left.
    due_at = models.DateTimeField(_("to be taken by"), null=True)
    due_left = models.FloatField(null=True, editable=False)
    # Ids of the operators who had it before, each once; null: nobody. Kept here, because a registration would have to
    # write a counter or a row, and every list would have to count rows of the history.
    former_operator_ids = models.JSONField(null=True, editable=False)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ContactQuerySet.as_manager()

    # Left out when a new contact is stored: its statement must not have more than 50 parameters (`core.db.writes`).
    NULL_AT_FIRST = ("first_reaction_at", "due_left")

    is_replay = False  # not stored: this response repeats that of an earlier request with the same idempotency key

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="contact_once_per_source_and_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(waiting_reason__isnull=True) | Q(operator__isnull=True, resolved_at__isnull=True),
                name="contact_has_a_reason_only_while_waiting",
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "id"], condition=OPEN, name="contact_open_by_operator"),
            models.Index(fields=["id"], condition=OPEN, name="contact_open_by_age"),
            models.Index(fields=["source", "id"], condition=WAITING, name="contact_waiting_by_age"),
            models.Index(
                fields=["source", "waiting_reason", "id"], condition=WAITING, name="contact_waiting_by_reason"
            ),
            models.Index(fields=["source", "-id"], name="contact_by_source"),
            models.Index(fields=["operator", "-id"], condition=Q(operator__isnull=False), name="contact_by_operator"),
            models.Index(fields=["created_at"], name="contact_by_moment"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="contact_by_due_moment"),
        ]

    def __str__(self) -> str:
        return _("Contact %(id)s") % {"id": self.pk}

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def status(self) -> "Contact.Status":
        if self.is_resolved:
            return self.Status.RESOLVED
        return self.Status.ASSIGNED if self.operator_id else self.Status.WAITING

    @property
    def is_untaken(self) -> bool:
        """Whether an operator has it who has not taken it yet."""
        return self.status == self.Status.ASSIGNED and self.accepted_at is None

    @property
    def is_overdue(self) -> bool:
        """Whether it was not taken in time, and not taken away yet."""
        return self.due_at is not None and self.due_at <= timezone.now()

    @property
    def holder_ids(self) -> set[int]:
        """The operators who have had it, the present one included."""
        former = set(self.former_operator_ids or ())
        return former | {self.operator_id} if self.operator_id else former

    @property
    def offers(self) -> int:
        """How many operators have had it."""
        return len(self.holder_ids)

    @property
    def handler(self) -> Operator | None:
        """The operator, for an answer. None also if the database fails now: the contact is stored (see below)."""
        try:
            return self.operator
        except Error:
            return None

    @cached_property
    def queue_position(self) -> int | None:
        """The position among the waiting contacts of its source, 1 = next; None if it does not wait.

        One query; `queue_stats.add_positions` needs one for many contacts. Also None if the database fails now: the
        contact is stored, and an error would suggest that it is not.
        """
        if self.status != self.Status.WAITING:
            return None
        try:
            return next((number for (number,) in WAITING_UP_TO(self.source_id, self.pk)), 0)
        except Error:
            return None

    @cached_property
    def opens_at(self) -> datetime | None:
        """Until when it waits for the opening hours of its source; None if it waits for something else, or not at all.

        One query, as `queue_position`, and `queue_stats.add_openings` needs one for many contacts.
        """
        if self.waiting_reason != self.Waiting.CLOSED_HOURS:
            return None
        try:
            return Source.objects.filter(pk=self.source_id).values_list("opens_at", flat=True).first()
        except Error:
            return None


WAITING_UP_TO: Select[tuple[int]] = Select(
    lambda source_id, pk: (
        Contact.objects.waiting()
        .filter(source=source_id, pk__lte=pk)
        .values("source")
        .annotate(number=Count("pk"))
        .values_list("number")
    )
)


class Exclusion(models.Model):
    """The operator gave the contact back, or missed it: it is not offered to the operator again, except by hand."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="exclusions", verbose_name=_("contact"))
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", verbose_name=_("operator"))
    # Of an operator who was free when `max_offers` were used up: ends when that operator becomes free again.
    until_free = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        indexes = [models.Index(fields=["operator"], condition=Q(until_free=True), name="exclusion_until_free")]
        constraints = [
            models.UniqueConstraint(fields=["contact", "operator"], name="exclusion_once_per_contact_and_operator")
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.operator}"
