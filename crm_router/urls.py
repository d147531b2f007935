from django.contrib import admin
from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounts import alerts, link_pages, profile_page
from accounts import views as accounts
from crm_router import dashboard, views
from crm_router.observability import scrape
from leads.admin import contact_file, lead_file
from leads.api.batch import BatchView
from leads.api.identities import IdentitiesView, IdentityView
from leads.api.leads import DuplicateViewSet, LeadViewSet
from leads.api.registration import RegistrationViewSet
from notifications.api.events import EventsView
from notifications.api.messenger import ChannelsView, NotificationsView, TelegramLinkView
from notifications.api.telegram_updates import receive_update
from notifications.api.webhooks import DeliveryList, WebhookViewSet
from operators.api import OperatorViewSet
from routing.admin import (
    calendar,
    connecting,
    holiday_pages,
    leave,
    opening_hours,
    operator_controls,
    reports,
    rosters,
    shifts,
    switches,
)
from routing.admin.distribution import page as distribution
from routing.admin.distribution import what_if as distribution_what_if
from routing.admin.now import page as now
from routing.admin.now import pauses
from routing.admin.report_page import report_file, reports_page
from routing.api.changes import ChangeViewSet
from routing.api.duty import AbsencesView, AbsenceView, AvailabilityView, PauseView, ResumeView, ScheduleView
from routing.api.figures import ReportView
from routing.api.reports import DistributionView, QueueView
from routing.api.sources import OpeningHoursView, RosterMemberView, RosterView, SourceViewSet
from routing.api.what_if import WhatIfsView, WhatIfView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", RegistrationViewSet)
router.register("leads/duplicates", DuplicateViewSet)
router.register("leads", LeadViewSet)
router.register("operators", OperatorViewSet)
router.register("sources", SourceViewSet)
router.register("changes", ChangeViewSet)
router.register("webhooks", WebhookViewSet)

# The most frequent paths come first, because patterns are tried one after another.
api = [
    *router.urls,
    path("sources/<id:source_id>/operators", RosterView.as_view()),
    path("sources/<id:source_id>/operators/<id:operator_id>", RosterMemberView.as_view()),
    path("operators/<id:operator_id>/schedule", ScheduleView.as_view()),
    path("operators/<id:operator_id>/absences", AbsencesView.as_view()),
    path("operators/<id:operator_id>/absences/<id:absence_id>", AbsenceView.as_view()),
    path("operators/<id:operator_id>/pause", PauseView.as_view()),
    path("operators/<id:operator_id>/resume", ResumeView.as_view()),
    path("operators/<id:operator_id>/availability", AvailabilityView.as_view()),
    path("sources/<id:source_id>/schedule", OpeningHoursView.as_view()),
    path("operators/<id:operator_id>/channels", ChannelsView.as_view()),
    path("operators/<id:operator_id>/telegram-link", TelegramLinkView.as_view()),
    path("operators/<id:operator_id>/notifications", NotificationsView.as_view()),
    path("leads/<id:lead_id>/identities", IdentitiesView.as_view()),
    path("leads/<id:lead_id>/identities/<id:identity_id>", IdentityView.as_view()),
    path("contacts/batch", BatchView.as_view()),
    path("webhooks/<id:webhook_id>/deliveries", DeliveryList.as_view()),
    path("queue", QueueView.as_view()),
    path("events", EventsView.as_view()),
    path("stats/distribution", DistributionView.as_view()),
    path("stats/report", ReportView.as_view()),
    path("what-if", WhatIfsView.as_view()),
    path("what-if/<id:what_if_id>", WhatIfView.as_view()),
]

# Django's pages of an application group pages otherwise than the sidebar does.
applications = sorted({model._meta.app_label for model in admin.site._registry})

urlpatterns = [
    path("api/v1/", include(api)),
    path("", views.root),
    path("health", views.health),
    path("health/ready", views.ready),
    path("metrics", scrape.metrics),
    path("telegram/updates", receive_update),
    path("openapi.json", views.schema, name="schema"),
    path("docs", views.only_read(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.admin_view(dashboard.start), name="now"),
    path("admin/now/", admin.site.admin_view(now.now_live), name="now_live"),
    path("admin/first-steps/", admin.site.admin_view(dashboard.steps_live), name="first_steps"),
    path("admin/login/", accounts.sign_in, name="sign_in"),
    path("admin/invitation/<str:token>/", link_pages.accept_invitation, name="accept_invitation"),
    path("admin/password/forgotten/", link_pages.forgotten_password, name="admin_password_reset"),  # unfold's name
    path("admin/password/<str:account>/<str:token>/", link_pages.new_password, name="new_password"),
    path("admin/profile/", admin.site.admin_view(profile_page.own_profile), name="own_profile"),
    path("admin/two-factor/", admin.site.admin_view(accounts.two_factor_page), name="two_factor"),
    path("admin/two-factor/code/", admin.site.admin_view(accounts.enter_code), name="two_factor_code"),
    path("admin/my-contacts/", include("routing.admin.desk.urls")),
    path("admin/my-alerts/", admin.site.admin_view(alerts.set_alert), name="my_alerts"),
    path("admin/my-shifts/", admin.site.admin_view(shifts.own_shifts), name="own_shifts"),
    path("admin/holidays/", admin.site.admin_view(holiday_pages.import_page), name="holidays"),
    path("admin/distribution/", admin.site.admin_view(distribution.distribution_page), name="distribution"),
    path("admin/distribution/save/", admin.site.admin_view(distribution.save), name="distribution_save"),
    path("admin/distribution/csv/", admin.site.admin_view(distribution.download), name="distribution_csv"),
    path("admin/distribution/what-if/", admin.site.admin_view(distribution_what_if.ask), name="what_if_ask"),
    path(
        "admin/distribution/what-if/<id:what_if_id>/",
        admin.site.admin_view(distribution_what_if.follow),
        name="what_if",
    ),
    path(
        "admin/distribution/what-if/<id:what_if_id>/cancel/",
        admin.site.admin_view(distribution_what_if.cancel),
        name="what_if_cancel",
    ),
    path("admin/queue/", admin.site.admin_view(reports.queue_and_fairness), name="queue_and_fairness"),
    path("admin/reports/", admin.site.admin_view(reports_page), name="reports"),
    *(
        path(f"admin/reports/{name}.{kind}", admin.site.admin_view(view), {"kind": kind}, name=f"{name}_{kind}")
        for name, view in (("report", report_file), ("contacts", contact_file.contacts_file))
        for kind in ("csv", "xlsx")
    ),
    path("admin/operators/operator/leave/", admin.site.admin_view(leave.leave_page), name="leave"),
    path(
        "admin/operators/operator/leave/<id:absence_id>/undo/",
        admin.site.admin_view(leave.undo_page),
        name="undo_leave",
    ),
    path(
        "admin/operators/operator/<id:operator_id>/set/",
        admin.site.admin_view(switches.set_operator),
        name="operator_set",
    ),
    path(
        "admin/operators/operator/controls/",
        admin.site.admin_view(operator_controls.controls),
        name="operator_controls",
    ),
    path(
        "admin/operators/operator/<id:operator_id>/pause/",
        admin.site.admin_view(pauses.pause_operator),
        name="operator_pause",
    ),
    path(
        "admin/operators/operator/<id:operator_id>/resume/",
        admin.site.admin_view(pauses.resume_operator),
        name="operator_resume",
    ),
    path("admin/changes/<id:change_id>/undo/", admin.site.admin_view(switches.undo_change), name="undo_change"),
    path("admin/calendar/", admin.site.admin_view(calendar.calendar_page), name="calendar"),
    path(
        "admin/routing/source/<id:source_id>/roster/",
        admin.site.admin_view(rosters.source_roster),
        name="source_roster",
    ),
    path(
        "admin/routing/source/<id:source_id>/roster/set/",
        admin.site.admin_view(rosters.set_roster),
        name="roster_set",
    ),
    path(
        "admin/routing/source/<id:source_id>/trial/",
        admin.site.admin_view(connecting.send_trial),
        name="source_trial",
    ),
    path(
        "admin/routing/source/<id:source_id>/hours/",
        admin.site.admin_view(opening_hours.opening_hours_page),
        name="routing_source_hours",
    ),
    path("admin/leads/lead/<id:lead_id>/file/", admin.site.admin_view(lead_file.download_lead), name="leads_lead_file"),
    *(path(f"admin/{label}/", RedirectView.as_view(url=reverse_lazy("admin:index"))) for label in applications),
    path("admin/", admin.site.urls),
]

handler400 = "crm_router.views.bad_request"
handler404 = "crm_router.views.not_found"
handler500 = "crm_router.views.server_error"
