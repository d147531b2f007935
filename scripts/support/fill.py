"""Writes a year of contacts straight into the tables of the database that DATABASE_URL names."""

import argparse
import os
import random
import sys
import time
from pathlib import Path

from tqdm import tqdm


def main(arguments: list[str]) -> int:
    import scale_data
    from django.utils import timezone

    from routing.models import Contact

    count, waiting, beside_others = read(arguments)
    if Contact.objects.exists() and not beside_others:
        sys.exit("There are contacts already. --beside-others adds to them permanently.")
    started = time.monotonic()
    with tqdm(total=count, desc="contacts", file=sys.stderr, disable=None) as progress:
        for written in scale_data.write_year(count=count, waiting=waiting, now=timezone.now(), rng=random.Random()):
            progress.update(written)
    scale_data.analyze()
    seconds = time.monotonic() - started
    print(f"{count} contacts, {waiting} of them waiting: {seconds:.0f} s, {count / seconds:.0f} a second")
    return 0


def read(arguments: list[str]) -> tuple[int, int, bool]:
    parser = argparse.ArgumentParser(prog="scripts/fill", description=__doc__)
    parser.add_argument("--count", type=int, required=True, help="how many contacts")
    parser.add_argument("--waiting", type=int, help="how many of them wait; one in 1,000 by default")
    parser.add_argument("--beside-others", action="store_true", help="also into a database that has contacts")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error("--count must be at least 1.")
    waiting = options.count // 1_000 if options.waiting is None else options.waiting
    if not 0 <= waiting <= options.count:
        parser.error("--waiting must be between 0 and --count.")
    return options.count, waiting, options.beside_others


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")
    sys.path.insert(0, str(Path(__file__).parents[2]))
    django.setup()
    sys.exit(main(sys.argv[1:]))
