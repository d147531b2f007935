from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm_router import service_zone


class Command(BaseCommand):
    help = (
        "Asks for the time zone of the service and stores it in DATA_DIR, for starts without TIME_ZONE. Asks once: "
        "delete DATA_DIR/time_zone to be asked again."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.DATA_DIR / "time_zone"
        if path.exists():
            return
        zones = available_timezones()
        suggested = service_zone.zone_of_machine(zones)
        self.stdout.write("In which time zone does the team work? Caps per day and quiet hours follow its clock.")
        chosen = ""
        while not chosen:
            try:
                typed = input(f"Time zone [{suggested}]: ").strip()
            except EOFError:
                return
            chosen = service_zone.find_zone(typed or suggested, zones)
            if not chosen:
                self.stdout.write("There is no such time zone. Examples: Europe/Moscow, Yekaterinburg, UTC.")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(f"{chosen}\n")
        except OSError as error:
            raise CommandError(f"The time zone cannot be stored in {path}: {error.strerror}. Set TIME_ZONE.") from error
        self.stdout.write(f"The time zone is {chosen}. To change it, set TIME_ZONE or edit {path}.")
