"""The pages of those who sign in: people, roles, and what replaces Django's own pages of them."""

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from accounts.admin.people import PersonAdmin
from accounts.admin.role_pages import RoleAdmin
from accounts.roles import role_title
from core.admin import formatting

admin.site.index_title = _("Overview")
admin.site.empty_value_display = formatting.NOTHING
apps.get_app_config("auth").verbose_name = _("Access")  # as the sidebar calls it
Group.__str__ = role_title  # type: ignore[method-assign] # in lists, choices, filters and titles alike
# A group of Django's is a role on every page; the migrations of django.contrib.auth are compared without this.
Group._meta.verbose_name, Group._meta.verbose_name_plural = _("role"), _("roles")
User._meta.verbose_name_plural = _("people")
Group._meta.get_field("name").verbose_name = pgettext_lazy("of a source", "name")
User._meta.get_field("groups").verbose_name = _("roles")
# Imported from where they are registered; the pages of the last two would show secrets.
for model in (User, Group, TOTPDevice, StaticDevice):
    admin.site.unregister(model)

admin.site.register(User, PersonAdmin)
admin.site.register(Group, RoleAdmin)
