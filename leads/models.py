from collections.abc import Iterable

from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from routing.models import Source

EXTENSION = ";ext="  # in the value of a phone, after the number itself (RFC 3966)


class LeadQuerySet(models.QuerySet["Lead"]):
    def current(self) -> "LeadQuerySet":
        """Neither merged into another lead nor erased."""
        return self.filter(merged_into__isnull=True, erased_at__isnull=True)

    def merged(self) -> "LeadQuerySet":
        return self.filter(merged_into__isnull=False, erased_at__isnull=True)

    def erased(self) -> "LeadQuerySet":
        return self.filter(erased_at__isnull=False)

    def with_contact_span(self) -> "LeadQuerySet":
        """Each with `contact_count`, `first_contact_at` and `last_contact_at`."""
        return self.annotate(
            contact_count=Count("contacts"),
            first_contact_at=Min("contacts__created_at"),
            last_contact_at=Max("contacts__created_at"),
        )


def through_source() -> "models.ForeignKey[Source | None, Source | None]":
    """The field of the source of the contact that gave something; null if no contact did."""
    return models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name=_("through source"),
    )


class Lead(models.Model):
    """A client: one person, with all their identities.

    A lead that is the same person as another is `merged_into` it, and has neither identities nor contacts of its own
    until the merge is undone.
    """

    name = models.CharField(_("name"), max_length=255, null=True, blank=True)
    # Who has given this name; null where there is none.
    name_added_by = models.CharField(_("added by"), max_length=160, null=True, editable=False)
    name_added_through = through_source()
    name_added_at = models.DateTimeField(_("added at"), null=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name=_("merged into"),
    )
    erased_at = models.DateTimeField(_("erased at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = LeadQuerySet.as_manager()

    resolved_with_erasure = 0  # not stored: how many open contacts this erasure has resolved

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        indexes = [
            models.Index(fields=["id"], condition=Q(merged_into__isnull=False), name="lead_merged"),
            models.Index(fields=["id"], condition=Q(erased_at__isnull=False), name="lead_erased"),
        ]

    def __str__(self) -> str:
        if self.erased_at:
            return _("Erased lead %(id)s") % {"id": self.pk}
        return self.name or _("Lead %(id)s") % {"id": self.pk}

    @property
    def is_current(self) -> bool:
        """Neither merged into another lead nor erased."""
        return self.merged_into_id is None and self.erased_at is None

    @property
    def phone(self) -> str | None:
        """The first phone in E.164, which has no extensions."""
        value = self.first(Identity.Kind.PHONE)
        return value and value.partition(EXTENSION)[0]

    @property
    def email(self) -> str | None:
        return self.first(Identity.Kind.EMAIL)

    def first(self, kind: "Identity.Kind") -> str | None:
        """The value of this lead's first identity of this kind; None if it has none."""
        values = {
            (identity.rank, identity.pk): identity.value for identity in self.identities.all() if identity.kind == kind
        }
        return values[min(values)] if values else None


class FormerName(models.Model):
    """A name that a lead had until another one replaced it: each name once, with the last time that it was replaced."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="former_names", verbose_name=_("lead"), db_index=False)
    name = models.CharField(_("name"), max_length=255)
    added_by = models.CharField(_("added by"), max_length=160, null=True)
    added_through = through_source()
    added_at = models.DateTimeField(_("added at"), null=True)
    replaced_at = models.DateTimeField(_("replaced at"), auto_now_add=True)
    replaced_by = models.CharField(_("replaced by"), max_length=160)

    class Meta:
        verbose_name = _("former name")
        verbose_name_plural = _("former names")
        constraints = [models.UniqueConstraint(fields=["lead", "name"], name="former_name_once_per_lead")]

    def __str__(self) -> str:
        return self.name


class Identity(models.Model):
    """One way to recognise a lead. `value` is what is compared, `raw` is what the client gave."""

    class Kind(models.TextChoices):
        """In order of strength: the strongest known identity decides which lead a contact belongs to."""

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
        db_index=False,
        verbose_name=_("source"),
        help_text=_("An id in a channel is valid only in that channel."),
    )
    # The lowest is shown. Identities from a merge rank behind, so that the survivor keeps showing its own.
    rank = models.IntegerField(default=0, db_default=0, editable=False)
    # Belongs to many people, so that it recognises nobody. The first lead that had it keeps the row that is unique; the
    # others have copies of it, which registrations do not read.
    is_shared = models.BooleanField(_("shared"), default=False, db_default=False)
    copy_of = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, editable=False, related_name="copies", db_index=False
    )
    added_by = models.CharField(_("added by"), max_length=160, default="system", db_default="system", editable=False)
    added_through = through_source()
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"],
                condition=Q(source__isnull=True, copy_of__isnull=True),
                name="identity_unique_everywhere",
            ),
            models.UniqueConstraint(
                fields=["source", "value"],
                condition=Q(source__isnull=False, copy_of__isnull=True),
                name="identity_unique_in_its_source",
            ),
            models.CheckConstraint(
                condition=Q(copy_of__isnull=True) | Q(is_shared=True), name="identity_only_shared_ones_have_copies"
            ),
            models.CheckConstraint(
                condition=Q(kind="external", source__isnull=False) | (~Q(kind="external") & Q(source__isnull=True)),
                name="identity_scoped_by_source_only_if_external",
            ),
        ]
        indexes = [
            models.Index(fields=["copy_of", "lead"], condition=Q(copy_of__isnull=False), name="identity_copies"),
        ]

    def __str__(self) -> str:
        return self.value


UNDECIDED = Q(dismissed_at__isnull=True, is_merged=False)


def one_merged() -> Exists:
    """Whether one lead of the pair is merged."""
    either = Q(pk=OuterRef("lead")) | Q(pk=OuterRef("other"))
    return Exists(Lead.objects.filter(either, merged_into__isnull=False))


class PossibleDuplicateQuerySet(models.QuerySet["PossibleDuplicate"]):
    def of(self, lead_ids: Iterable[int]) -> "PossibleDuplicateQuerySet":
        """Pairs of any of these leads."""
        ids = list(lead_ids)
        return self.filter(Q(lead__in=ids) | Q(other__in=ids))

    def undecided(self) -> "PossibleDuplicateQuerySet":
        """Pairs that a supervisor has neither merged nor dismissed."""
        return self.filter(UNDECIDED)

    def dismissed(self) -> "PossibleDuplicateQuerySet":
        """Dismissed by a supervisor: two people."""
        return self.filter(dismissed_at__isnull=False)

    def merged(self) -> "PossibleDuplicateQuerySet":
        """Decided by a merge, of these two or of one of them with another lead."""
        return self.filter(is_merged=True, dismissed_at__isnull=True)

    def settle(self) -> None:
        """Sets `is_merged` from the state of the leads. The caller has locked both leads of each pair."""
        self.update(is_merged=one_merged())

    def erased(self) -> "PossibleDuplicateQuerySet":
        """Pairs of an erased lead, which must not exist: they say who else the person may be."""
        return self.filter(Q(lead__erased_at__isnull=False) | Q(other__erased_at__isnull=False))

    def mismarked(self) -> "PossibleDuplicateQuerySet":
        """Pairs whose `is_merged` does not match their leads."""
        return self.alias(one_merged=one_merged()).exclude(is_merged=F("one_merged"))


class PossibleDuplicate(models.Model):
    """Two leads that one client claimed to be: a supervisor decides whether they are one person."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+", verbose_name=_("lead"))
    other = models.ForeignKey(Lead, models.CASCADE, related_name="+", verbose_name=_("other lead"))
    dismissed_at = models.DateTimeField(_("not the same person, said at"), null=True, editable=False)
    # One of the two leads is. Kept by `leads.merging`: without it, each list would read all pairs ever merged.
    is_merged = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = PossibleDuplicateQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["lead", "other"], name="duplicate_pair_once"),
            models.CheckConstraint(condition=Q(lead__lt=F("other")), name="duplicate_pair_older_lead_first"),
        ]
        indexes = [models.Index(fields=["id"], condition=UNDECIDED, name="duplicate_undecided")]

    def __str__(self) -> str:
        """Contains no names, because the back-office's log would keep them."""
        return _("Leads %(lead)s and %(other)s") % {"lead": self.lead_id, "other": self.other_id}


class Merge(models.Model):
    """The journal of one merge: what moved from one lead to another, so that it can be moved back."""

    survivor = models.ForeignKey(Lead, models.PROTECT, related_name="+", verbose_name=_("survivor"))
    merged = models.ForeignKey(Lead, models.PROTECT, related_name="+", verbose_name=_("merged lead"))
    at = models.DateTimeField(_("when"))
    by = models.CharField(_("by whom"), max_length=160)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_by = models.CharField(_("undone by"), max_length=160, null=True)
    name_given = models.BooleanField(default=False)  # the survivor had no name, and took the other's
    survivor_updated_at = models.DateTimeField()  # before the merge
    rank_added = models.PositiveIntegerField()  # to each identity that moved
    identities = models.JSONField(default=list)  # ids of what moved
    contacts = models.JSONField(default=list)
    pairs = models.JSONField(default=list)  # ids of the possible duplicates that the survivor took over

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at__isnull=True), name="merge_into_one_lead_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.survivor_id}"
