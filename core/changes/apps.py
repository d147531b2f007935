from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChangesConfig(AppConfig):
    name = "core.changes"
    label = "changes"
    verbose_name = _("Operators and sources")  # where the sidebar has them
