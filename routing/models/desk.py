"""What people write down for themselves and for each other at work."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.contact import Contact

LONGEST_NOTE = 2_000


class ContactNote(models.Model):
    """A remark of an operator or a supervisor on a contact. Erasing the lead erases its text."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="notes", verbose_name=_("contact"))
    text = models.TextField(_("note"), max_length=LONGEST_NOTE)
    by = models.CharField(_("by"), max_length=200)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return f"{self.contact}: {self.at:%Y-%m-%d %H:%M}"


class SavedView(models.Model):
    """A list of contacts that a user looks at often: the filters and the search of its address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=1_000)  # as in the address, without "?"

    class Meta:
        default_permissions = ()
        ordering = ["name", "pk"]
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_view_one_name_per_user")]

    def __str__(self) -> str:
        return self.name
