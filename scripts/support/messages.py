"""Brings the Russian catalogue up to date with the sources and prints what has no translation."""

import os
import sys
from pathlib import Path


def main() -> None:
    import catalogue

    fresh = catalogue.refreshed()
    catalogue.PO.write_bytes(catalogue.written(fresh))
    catalogue.MO.write_bytes(catalogue.compiled(fresh))
    missing = [message for message in fresh if message.id and not catalogue.is_translated(message)]
    print(f"{len(fresh)} messages, {len(missing)} of them without Russian.")
    for message in missing:
        print(f"  {catalogue.first(message.id)}")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")
    sys.path.insert(0, str(Path(__file__).parents[2]))
    django.setup()
    main()
