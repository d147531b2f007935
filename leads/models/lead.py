from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

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
