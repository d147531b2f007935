import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from routing.models import Source


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired: `ApiKey.is_live` in SQL."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()), revoked_at__isnull=True)


class ApiKey(models.Model):
    """Who a caller of the API is. Made, rotated and revoked by `access.keys`; the key itself is kept nowhere."""

    class State(models.TextChoices):
        LIVE = "live", pgettext_lazy("API key", "valid")
        EXPIRED = "expired", pgettext_lazy("API key", "expired")
        REVOKED = "revoked", pgettext_lazy("API key", "revoked")

    name = models.CharField(pgettext_lazy("of a source", "name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("source")
    )
    lineage = models.UUIDField(default=uuid.uuid4, db_index=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    # Of the throttle: the minute that was counted last, how many calls of it the serving processes have taken, and how
    # many of the minute before.
    minute = models.DateTimeField(null=True)
    taken = models.PositiveIntegerField(default=0)
    taken_before = models.PositiveIntegerField(default=0, db_default=0)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        """The name for history and logs."""
        return self.prefix

    @property
    def is_management(self) -> bool:
        """May do everything; a key with a source only what concerns that source."""
        return self.source_id is None

    @property
    def state(self) -> "ApiKey.State":
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.EXPIRED if self.expires_at and self.expires_at <= timezone.now() else self.State.LIVE

    @property
    def is_live(self) -> bool:
        return self.state == self.State.LIVE
