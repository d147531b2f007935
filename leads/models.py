from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from operators.models import Operator
from routing.models import Source


class Lead(models.Model):
    """A client: one person, however many ways there are to reach them."""

    name = models.CharField(_("name"), max_length=255, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")

    def __str__(self) -> str:
        return self.name or _("Lead %(id)s") % {"id": self.pk}

    @property
    def phone(self) -> str | None:
        return self.first(Identity.Kind.PHONE)

    @property
    def email(self) -> str | None:
        return self.first(Identity.Kind.EMAIL)

    def first(self, kind: "Identity.Kind") -> str | None:
        """The value by which this lead was known first, of all identities of this kind."""
        values = {identity.pk: identity.value for identity in self.identities.all() if identity.kind == kind}
        return values[min(values)] if values else None


class Identity(models.Model):
    """One way to recognise a lead. `value` is what is compared, `raw` is what the client gave."""

    class Kind(models.TextChoices):
        """In order of strength: the strongest that is known says whose contact it is."""

        EXTERNAL = "external", _("id in the channel")
        PHONE = "phone", _("phone")
        EMAIL = "email", _("e-mail")

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="identities", verbose_name=_("lead"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    value = models.CharField(_("value"), max_length=254)
    raw = models.CharField(_("as given"), max_length=254)
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("source"),
        help_text=_("Ids in a channel mean somebody only there."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"], condition=Q(source__isnull=True), name="identity_unique_everywhere"
            ),
            models.UniqueConstraint(
                fields=["source", "value"], condition=Q(source__isnull=False), name="identity_unique_in_its_source"
            ),
            models.CheckConstraint(
                condition=Q(kind="external", source__isnull=False) | (~Q(kind="external") & Q(source__isnull=True)),
                name="identity_scoped_by_source_only_if_external",
            ),
        ]

    def __str__(self) -> str:
        return self.value


class PossibleDuplicate(models.Model):
    """Two leads that one client claimed to be: a supervisor decides whether they are one person."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+", verbose_name=_("lead"))
    other = models.ForeignKey(Lead, models.CASCADE, related_name="+", verbose_name=_("other lead"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["lead", "other"], name="duplicate_pair_once"),
            models.CheckConstraint(condition=Q(lead__lt=F("other")), name="duplicate_pair_older_lead_first"),
        ]

    def __str__(self) -> str:
        return f"{self.lead} = {self.other}?"


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


class Contact(models.Model):
    """One message of a lead that somebody has to answer. Born in `leads.intake`, changed in `leads.lifecycle`."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASSIGNED = "assigned", _("assigned")
        RESOLVED = "resolved", _("resolved")

    class Waiting(models.TextChoices):
        """Why nobody has it."""

        NO_OPERATORS = "no_operators", _("the source has no roster")
        ALL_INACTIVE = "all_inactive", _("everybody is off duty")
        ALL_FULL = "all_full", _("everybody is at the limit")
        NONE_AVAILABLE = "none_available", _("nobody is available")
        SOURCE_CLOSED = "source_closed", _("the source is closed")
        RETURNED = "returned", _("put back by hand")

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="contacts", verbose_name=_("lead"))
    source = models.ForeignKey(Source, models.PROTECT, related_name="contacts", verbose_name=_("source"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, related_name="contacts", verbose_name=_("operator"), db_index=False
    )
    message = models.TextField(_("message"), null=True)
    waiting_reason = models.CharField(_("reason"), max_length=16, null=True, choices=Waiting, editable=False)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True, editable=False)
    assigned_at = models.DateTimeField(_("assigned at"), null=True)
    is_forced = models.BooleanField(_("beyond the limit, by hand"), default=False)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ContactQuerySet.as_manager()

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
            models.Index(fields=["source", "id"], condition=WAITING, name="contact_waiting_by_age"),
            models.Index(fields=["operator", "-id"], name="contact_by_operator"),
        ]

    def __str__(self) -> str:
        return _("Contact %(id)s") % {"id": self.pk}

    def hand_to(self, operator_id: int | None, reason: str | None = None) -> list[str]:
        """Gives the contact to an operator, or to the queue for that reason. Returns the fields to save."""
        self.operator_id, self.waiting_reason = operator_id, reason
        self.assigned_at, self.is_forced = timezone.now() if operator_id else None, False
        return ["operator", "waiting_reason", "assigned_at", "is_forced", "updated_at"]

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def status(self) -> "Contact.Status":
        if self.is_resolved:
            return self.Status.RESOLVED
        return self.Status.ASSIGNED if self.operator_id else self.Status.WAITING

    def queue_position(self) -> int | None:
        """The place among what waits in the same source, 1 = next; None when it does not wait. One query."""
        if self.status != self.Status.WAITING:
            return None
        return Contact.objects.waiting().filter(source_id=self.source_id, pk__lte=self.pk).count()
