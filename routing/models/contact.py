from django.db import Error, models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

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

    lead = models.ForeignKey("leads.Lead", models.PROTECT, related_name="contacts", verbose_name=_("lead"))
    source = models.ForeignKey(
        Source, models.PROTECT, related_name="contacts", verbose_name=_("source"), db_index=False
    )
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, related_name="contacts", verbose_name=_("operator"), db_index=False
    )
    message = models.TextField(_("message"), null=True)
    waiting_reason = models.CharField(_("reason"), max_length=16, null=True, choices=Waiting, editable=False)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True, editable=False)
    idempotency_fingerprint = models.BinaryField(max_length=16, null=True)
    assigned_at = models.DateTimeField(_("assigned at"), null=True)
    is_forced = models.BooleanField(_("beyond the limit, by hand"), default=False)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ContactQuerySet.as_manager()

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

    @cached_property
    def queue_position(self) -> int | None:
        """The position among the waiting contacts of its source, 1 = next; None if it does not wait.

        One query; `queue_stats.add_positions` needs one for many contacts. Also None if the database fails now: the
        contact is stored, and an error would suggest that it is not.
        """
        if self.status != self.Status.WAITING:
            return None
        try:
            return Contact.objects.waiting().filter(source_id=self.source_id, pk__lte=self.pk).count()
        except Error:
            return None


class Exclusion(models.Model):
    """The operator gave the contact back: it is not offered to the operator again, except by hand."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="exclusions", verbose_name=_("contact"))
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", verbose_name=_("operator"))

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints = [
            models.UniqueConstraint(fields=["contact", "operator"], name="exclusion_once_per_contact_and_operator")
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.operator}"
