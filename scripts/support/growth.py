"""Measures reads and verbs on databases of different sizes, one of them empty, and prints tables of medians.

Requests go through the whole application and its middleware, in one process, without a server and a network. Young
tables have just been filled, and PostgreSQL has no statistics of them yet: it may choose an index that serves badly.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode

import postgresql
import psycopg

ROOT = Path(__file__).parents[2]
TURNS = 5  # of all databases, one after another; the quietest counts, since the machine does other things as well
TIMES = 15  # each request in each turn
BATCH = 100  # contacts
YOUNG = (300, 1_000, 3_000, 10_000)  # identities in tables that were never analysed
CONTACTS_PER_IDENTITY = 4 / 3  # of scale_data: half as many leads as contacts, every second with two identities
SETTINGS = "shared_buffers = '512MB'\nmax_wal_size = '2GB'\nrandom_page_cost = 1.1\n"  # as in deploy/postgresql
SETTINGS += "autovacuum = off\n"  # it would make young tables old; the others are vacuumed once

Medians = dict[str, float]  # name to milliseconds


def main(sizes: list[int]) -> None:
    if not sizes:
        sys.exit("How many contacts? For example: scripts/growth 10000 100000 1000000")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends this ends its database as well
    best: dict[int, Medians] = {size: {} for size in (0, *sizes)}
    young: dict[int, Medians] = {size: {} for size in YOUNG}
    with server() as url:
        for size in best:
            make(url, size)
        for _ in range(TURNS):
            for size, quietest in best.items():
                keep_lowest(quietest, python(address(url, size), __file__, "measure", str(size)))
            for size, quietest in young.items():
                new_database = create_database(url, "young")
                keep_lowest(quietest, python(new_database, __file__, "young", str(size)))
    show("contacts", best)
    print("\nJust filled and not analysed:\n")
    show("identities", young)


def keep_lowest(quietest: Medians, answer: str) -> None:
    for name, milliseconds in json.loads(answer).items():
        quietest[name] = min(milliseconds, quietest.get(name, milliseconds))


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL whose commits are on the disk, as in production."""
    with tempfile.TemporaryDirectory(prefix="crm-router-growth-") as name:
        folder = Path(name)
        identity = postgresql.unprivileged(folder)
        programs = postgresql.reachable(postgresql.find_programs(), folder, identity)
        postgresql.initialise(programs, folder / "data", identity)
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)
        with postgresql.running(programs, folder, identity, port=postgresql.free_port(), synced=True) as url:
            yield url


def address(url: str, size: int) -> str:
    return f"{url.rpartition('/')[0]}/growth_{size}"


def create_database(url: str, name: str) -> str:
    """The URL of a migrated and otherwise empty database, which replaces any of the same name."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    new = f"{url.rpartition('/')[0]}/{name}"
    python(new, "manage.py", "migrate", "--verbosity", "0")
    return new


def make(url: str, size: int) -> None:
    """A database with so many contacts, as autovacuum would leave it after a while."""
    create_database(url, f"growth_{size}")
    if size:
        print(python(address(url, size), "scripts/support/fill.py", "--count", str(size)), file=sys.stderr)
    with psycopg.connect(address(url, size), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def python(url: str, *arguments: str) -> str:
    """What Python prints. It reaches no data of the person who runs this."""
    environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING", "API_KEYS": "open"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory() as data:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment | {"DATA_DIR": data},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def measure(size: int) -> Medians:
    """In a process of its own for each database."""
    set_up()
    return (reads() if size else {}) | verbs() | batches()


def measure_young(identities: int) -> Medians:
    """In the process that fills the tables."""
    set_up()
    import scale_data
    from django.utils import timezone

    contacts = round(identities * CONTACTS_PER_IDENTITY)
    for _ in scale_data.write_year(count=contacts, waiting=0, now=timezone.now(), rng=random.Random(1)):
        pass
    return batches() | verbs()


def set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")
    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


phones = count(time.time_ns() // 10**6 % 10**9)


def new_phone() -> str:
    return f"+79{next(phones) % 10**9:09d}"


def send(path: str, method: str = "post", **body: Any) -> Any:
    from django.test import Client

    answer = getattr(Client(), method)(f"/api/v1{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code < 300, (path, answer.content)
    return answer.json()


def make_bot() -> tuple[int, list[int]]:
    """A new source with three operators, so that only the tables differ."""
    bot = send("/sources", name=f"Growth {time.time_ns()}")["id"]
    operators = [send("/operators", name="Growth", max_load=100)["id"] for _ in range(3)]
    for operator in operators:
        send(f"/sources/{bot}/operators", operator_id=operator, weight=10)
    return bot, operators


def batches() -> Medians:
    """Of new people; milliseconds for one contact of a batch."""
    made: list[int] = []
    bot, _ = make_bot()

    def register() -> None:
        people = [{"source_id": bot, "lead_phone": new_phone(), "message": "Hello"} for _ in range(BATCH)]
        made.extend(result["contact"]["id"] for result in send("/contacts/batch", contacts=people)["results"])

    found = {f"batch of {BATCH}, each contact": timed(register, 2) / BATCH}
    for contact in made:
        send(f"/contacts/{contact}/resolve")
    return found


def verbs() -> Medians:
    made: list[int] = []
    bot, operators = make_bot()

    def register(phone: str) -> None:
        made.append(send("/contacts", source_id=bot, lead_phone=phone, message="Hello")["id"])

    found = {
        "register, new client": timed(lambda: register(new_phone()), 4 * TIMES),
        "register, known client": timed(lambda: register("+79161234567"), 4 * TIMES),
        "resolve": timed(lambda: send(f"/contacts/{made.pop()}/resolve"), 4 * TIMES),
        "duty": timed(lambda: send(f"/operators/{operators[0]}", "patch", is_active=next(phones) % 2 == 0), 4 * TIMES),
    }
    for contact in made:
        send(f"/contacts/{contact}/resolve")
    return found


def reads() -> Medians:
    from django.contrib.auth.models import User
    from django.test import Client

    api, office = Client(), Client()
    office.force_login(User.objects.get_or_create(username="growth", is_staff=True, is_superuser=True)[0])

    def ask(client: Client, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content)

    calls = {f"GET {name}": timed(partial(ask, api, f"/api/v1{path}")) for name, path in addresses().items()}
    pages = {name: timed(partial(ask, office, f"/admin{path}"), 5) for name, path in back_office().items()}
    return calls | pages


def addresses() -> dict[str, str]:
    from django.utils import timezone

    from routing.models import Contact

    middle = in_the_middle()
    phone = middle.lead.identities.get(kind="phone").value
    waiting = Contact.objects.waiting().latest("pk")
    month = (timezone.now() - timedelta(days=30)).isoformat()
    filters = {
        "": "",
        "?status=waiting": "status=waiting",
        "?status=assigned": "status=assigned",
        "?status=resolved": "status=resolved",
        "?source_id": f"source_id={middle.source_id}",
        "?operator_id": f"operator_id={middle.operator_id}",
        "?lead_id": f"lead_id={middle.lead_id}",
    }
    period = quote(middle.created_at.isoformat())
    return (
        {f"/contacts{name}": f"/contacts?{asked}" for name, asked in filters.items()}
        | {f"/contacts{name}, deep": f"/contacts?{asked}&{cursor(middle.pk)}" for name, asked in filters.items()}
        | {
            "/contacts?created_before": f"/contacts?created_before={period}",
            "/contacts?created_after": f"/contacts?created_after={period}",
            "/contacts/{id}, waiting": f"/contacts/{waiting.pk}",
            "/contacts/{id}/decision": f"/contacts/{middle.pk}/decision",
            "/contacts/{id}/history": f"/contacts/{middle.pk}/history",
            "/queue": "/queue",
            "/leads": "/leads",
            "/leads?phone": f"/leads?phone={quote(phone)}",
            "/leads?email": "/leads?email=client7@example.com",
            "/leads?search, a phone": f"/leads?search={quote(phone)}",
            "/leads?search, a part of an e-mail": f"/leads?search=client{middle.lead_id}@",
            "/leads?search, nobody": "/leads?search=Zzyzx",
            "/leads?search, a tenth of everybody": f"/leads?search={quote('Ким')}",
            "/leads/{id}": f"/leads/{middle.lead_id}",
            "/leads/{id}/contacts": f"/leads/{middle.lead_id}/contacts",
            "/leads/{id}/export": f"/leads/{middle.lead_id}/export",
            "/leads/duplicates": "/leads/duplicates",
            "/stats/distribution, 30 days": f"/stats/distribution?from={quote(month)}",
        }
    )


def back_office() -> dict[str, str]:
    middle = in_the_middle()
    contacts, leads = "/routing/contact/", "/leads/lead/"
    return {
        "contacts": contacts,
        "contacts, resolved": f"{contacts}?status=resolved",
        "contacts, of an operator": f"{contacts}?operator__id__exact={middle.operator_id}",
        "contacts, page 100": f"{contacts}?p=100",
        "contacts, in the middle": f"{contacts}?p={middle.pk // 50}",
        "contacts, search for a phone": f"{contacts}?q={middle.lead_id:07d}",
        "contacts, search for nobody": f"{contacts}?q=Zzyzx",
        "contacts, search for a tenth of everybody": f"{contacts}?q={quote('Ким')}",
        "a contact": f"{contacts}{middle.pk}/change/",
        "leads": leads,
        "leads, in the middle": f"{leads}?p={middle.pk // 100}",
        "leads, search for a phone": f"{leads}?q={middle.lead_id:07d}",
        "leads, search for a tenth of everybody": f"{leads}?q={quote('Ким')}",
        "a lead": f"{leads}{middle.lead_id}/change/",
        "possible duplicates": "/leads/possibleduplicate/",
        "operators": "/operators/operator/",
        "sources": "/routing/source/",
        "queue and fairness": "/queue/",
    }


def in_the_middle() -> Any:
    from routing.models import Contact

    newest = Contact.objects.latest("pk")
    return Contact.objects.filter(pk__lte=newest.pk // 2, operator__isnull=False).latest("pk")


def cursor(key: int) -> str:
    return urlencode({"cursor": b64encode(urlencode({"p": key}).encode()).decode()})


def timed(call: Callable[[], object], times: int = TIMES) -> float:
    """The median in milliseconds, after one that fills what is filled once."""
    call()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken)


def show(what: str, best: dict[int, Medians]) -> None:
    largest = best[max(best)]
    print(f"| {what} | " + " | ".join(f"{size:,}" if size else "empty" for size in best) + " |")
    print("|---|" + "---|" * len(best))
    for name in largest:
        cells = [
            f"{medians[name]:.{2 if medians[name] < 10 else 1}f}" if name in medians else ""
            for medians in best.values()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    elif sys.argv[1:2] == ["young"]:
        print(json.dumps(measure_young(int(sys.argv[2]))))
    else:
        main([int(size) for size in sys.argv[1:]])
