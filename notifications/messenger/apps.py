from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessengerConfig(AppConfig):
    name = "notifications.messenger"
    label = "messenger"
    verbose_name = _("Messages")
