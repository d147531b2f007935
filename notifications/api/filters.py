import django_filters

from notifications.models import Delivery
from notifications.models.webhook import DeliveryQuerySet


class DeliveryFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Delivery.Status.choices, method="with_status")

    def with_status(self, deliveries: DeliveryQuerySet, name: str, status: str) -> DeliveryQuerySet:
        return deliveries.with_status(Delivery.Status(status))
