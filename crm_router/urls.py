from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounts import views as accounts
from crm_router import dashboard, views
from crm_router.observability import scrape
from leads.admin import lead_file
from leads.api.batch import BatchView
from leads.api.leads import DuplicateViewSet, LeadViewSet
from leads.api.registration import RegistrationViewSet
from operators.api import OperatorViewSet
from routing.admin import reports
from routing.api.reports import DistributionView, QueueView
from routing.api.sources import RosterMemberView, RosterView, SourceViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", RegistrationViewSet)
router.register("leads/duplicates", DuplicateViewSet)
router.register("leads", LeadViewSet)
router.register("operators", OperatorViewSet)
router.register("sources", SourceViewSet)

# The most frequent paths come first, because patterns are tried one after another.
api = [
    *router.urls,
    path("sources/<id:source_id>/operators", RosterView.as_view()),
    path("sources/<id:source_id>/operators/<id:operator_id>", RosterMemberView.as_view()),
    path("contacts/batch", BatchView.as_view()),
    path("queue", QueueView.as_view()),
    path("stats/distribution", DistributionView.as_view()),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", views.root),
    path("health", views.health),
    path("health/ready", views.ready),
    path("metrics", scrape.metrics),
    path("openapi.json", views.schema, name="schema"),
    path("docs", views.only_read(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.admin_view(dashboard.start), name="start"),
    path("admin/login/", accounts.sign_in, name="sign_in"),
    path("admin/two-factor/", admin.site.admin_view(accounts.two_factor_page), name="two_factor"),
    path("admin/two-factor/code/", admin.site.admin_view(accounts.enter_code), name="two_factor_code"),
    path("admin/queue/", admin.site.admin_view(reports.queue_and_fairness), name="queue_and_fairness"),
    path("admin/leads/lead/<id:lead_id>/file/", admin.site.admin_view(lead_file.download_lead), name="leads_lead_file"),
    path("admin/", admin.site.urls),
]

handler400 = "crm_router.views.bad_request"
handler404 = "crm_router.views.not_found"
handler500 = "crm_router.views.server_error"
