import os

from django.core.wsgi import get_wsgi_application

from crm_router.request_body import with_bounded_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")

application = with_bounded_body(get_wsgi_application())
