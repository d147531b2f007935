import os

from django.core.wsgi import get_wsgi_application

from crm_router.server.head import without_body_for_head
from crm_router.server.refusals import with_host
from crm_router.server.request_body import with_bounded_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")

application = without_body_for_head(with_host(with_bounded_body(get_wsgi_application())))
