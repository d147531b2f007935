from typing import Any

from django.core.management.base import BaseCommand

from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import Source

OPERATORS = {"Анна": 50, "Борис": 100, "Вера": 60, "Глеб": 20}  # name: limit
SOURCES = {"Telegram Bot": "Основной телеграм-бот", "WhatsApp": "Бот в WhatsApp", "Сайт": "Форма на сайте"}
WEIGHTS = {
    "Telegram Bot": {"Анна": 10, "Борис": 30},
    "WhatsApp": {"Борис": 20, "Вера": 20, "Глеб": 10},
    "Сайт": {"Анна": 50, "Вера": 30, "Глеб": 20},
}


class Command(BaseCommand):
    help = "Creates the demo operators, sources and weights. Existing ones are kept, so it can be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        operators = {name: self.operator(name, limit) for name, limit in OPERATORS.items()}
        sources = {name: self.source(name, description) for name, description in SOURCES.items()}
        for source, weights in WEIGHTS.items():
            for operator, weight in weights.items():
                source_actions.set_weight(
                    source_id=sources[source].pk, operator_id=operators[operator].pk, weight=weight
                )
        self.stdout.write(self.style.SUCCESS(f"{len(operators)} operators and {len(sources)} sources are ready."))

    def operator(self, name: str, limit: int) -> Operator:
        known = Operator.objects.current().filter(name=name).order_by("pk").first()
        return known or operator_actions.create_operator(name=name, max_load=limit)

    def source(self, name: str, description: str) -> Source:
        known = Source.objects.current().filter(name=name).first()
        return known or source_actions.create_source(name=name, description=description)
