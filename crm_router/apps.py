from django.apps import AppConfig


class CrmRouterConfig(AppConfig):
    name = "crm_router"
