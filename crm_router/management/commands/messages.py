from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Brings the Russian catalogue up to date with the sources: new messages are added, empty, to be translated; "
        "unused ones go. Then compiles it. Run it again after translating; commit both files."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        from crm_router import catalogue  # needs Babel, which the service itself does not

        fresh = catalogue.refreshed()
        catalogue.PO.write_bytes(catalogue.written(fresh))
        catalogue.MO.write_bytes(catalogue.compiled(fresh))
        missing = [message for message in fresh if message.id and not catalogue.is_translated(message)]
        self.stdout.write(f"{len(fresh)} messages, {len(missing)} of them without Russian.")
        for message in missing:
            self.stdout.write(f"  {catalogue.first(message.id)}")
