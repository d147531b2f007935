from django.contrib import admin
from django.urls import path

from routing.admin.desk import duty, page, presses

own = admin.site.admin_view

urlpatterns = [
    path("", own(page.my_contacts), name="my_contacts"),
    path("live/", own(page.my_contacts_live), name="my_contacts_live"),
    path("pause/", own(duty.pause_until_view), name="my_pause"),
    path("duty/<slug:press>/", own(duty.duty_view), name="my_duty"),
    path("<id:contact_id>/take/", own(presses.take_view), name="my_contact_take"),
    path("<id:contact_id>/resolve/", own(presses.resolve_view), name="my_contact_resolve"),
    path("<id:contact_id>/reopen/", own(presses.reopen_view), name="my_contact_reopen"),
    path("<id:contact_id>/give-back/", own(presses.give_back_view), name="my_contact_give_back"),
    path("<id:contact_id>/note/", own(presses.note_view), name="my_contact_note"),
]
