"""What the service keeps of people who sign in, beside Django's users and roles."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from operators.models import Operator


class Profile(models.Model):
    """How one user wants to see the pages. Made when it is first needed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="profile")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")  # blank: the browser's
    shows_notifications = models.BooleanField(_("notifications in the browser"), default=False)
    plays_sound = models.BooleanField(_("sound for new contacts"), default=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.user)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Neither used nor withdrawn; they may have expired."""
        return self.filter(used_at__isnull=True, withdrawn_at__isnull=True)


class Invitation(models.Model):
    """A one-time link, with which a person becomes a user: they choose a user name and a password.

    `user` is who has become one by it. What was once sent is kept: it says who has let whom in.
    """

    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("e-mail"), blank=True, default="")
    role = models.ForeignKey(Group, models.CASCADE, verbose_name=_("role"))
    operator = models.ForeignKey(
        Operator, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("operator")
    )
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 of the token, which is shown once
    invited_by = models.CharField(_("invited by"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user")
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(used_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_pending",
            )
        ]

    def __str__(self) -> str:
        return self.name
