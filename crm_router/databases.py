"""Django's settings of the database, SQLite or PostgreSQL."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import dj_database_url
from environs import EnvError

from core.db.postgresql import several

REPLICA_CONNECT_TIMEOUT = 2  # seconds, the least that libpq knows
WAIT_FOR_WRITER = 30  # seconds; writers of SQLite queue up one after another


def database_settings(
    *, url: Mapping[str, Any], connect_timeout: int, network_timeout: int, behind_pooler: bool
) -> dict[str, Any]:
    """Django's settings for the database that `url`, parsed already, names. The time-outs are in seconds."""
    chosen = dict(url)
    # Connections persist: otherwise SQLite would reopen its file, and PostgreSQL fork a process, for each request.
    chosen["CONN_MAX_AGE"] = None
    if chosen["ENGINE"] == "django.db.backends.sqlite3":
        return chosen | sqlite()
    return chosen | postgresql(
        options=chosen.get("OPTIONS", {}),
        connect_timeout=connect_timeout,
        network_timeout=network_timeout,
        behind_pooler=behind_pooler,
    )


def replica_settings(
    *, url: Mapping[str, Any], connect_timeout: int, network_timeout: int, behind_pooler: bool
) -> dict[str, Any]:
    """Likewise for a standby that is only read. Who waits for it could be asking the primary."""
    database = database_settings(
        url=url,
        connect_timeout=min(connect_timeout, REPLICA_CONNECT_TIMEOUT),
        network_timeout=network_timeout,
        behind_pooler=behind_pooler,
    )
    asked = url.get("OPTIONS", {})
    database["OPTIONS"] |= {"target_session_attrs": asked.get("target_session_attrs", "standby")}
    return database | {"TEST": {"MIRROR": "default"}}


def describe_database(database: Mapping[str, Any]) -> str:
    """The database of these settings, for people, without user and password."""
    if database["ENGINE"] == "core.db.sqlite":
        return str(database["NAME"])
    places = [
        f"{host or 'localhost'}:{port or 5432}" for host, port in several.places(database["HOST"], database["PORT"])
    ]
    return f"{database['NAME']} on {', '.join(places)}"


def limit_request_time(
    database: dict[str, Any],
    *,
    statement: float,
    lock: float,
    idle_in_transaction: float,
    commit: float,
    behind_pooler: bool,
) -> None:
    """Sets PostgreSQL's time-outs of a statement, a wait for a lock, a pause in a transaction; 0 disables the limit.

    And how long the service waits for a commit to be confirmed, which PostgreSQL does not limit (core/db/postgresql).
    For the service only: commands have no limits. Poolers refuse such options when a connection begins; behind one
    they belong to the role in PostgreSQL (docs/operations.md).
    """
    if database["ENGINE"] == "core.db.sqlite":
        return
    database["COMMIT_TIMEOUT"] = commit
    if behind_pooler:
        return
    bounds = {
        "statement_timeout": statement,
        "lock_timeout": lock,
        "idle_in_transaction_session_timeout": idle_in_transaction,
    }
    words = [f"-c {name}={round(seconds * 1000)}" for name, seconds in bounds.items()]
    asked = database["OPTIONS"].get("options", "")
    database["OPTIONS"]["options"] = " ".join([*words, asked]).strip()  # the URL's own options come last and win


def parse_database_url(url: str) -> dict[str, Any]:
    """Django's settings for a DATABASE_URL. Raises EnvError for an invalid URL or an unsupported database."""
    try:
        parsed = dict(dj_database_url.parse(with_hosts_behind_question_mark(url)))
    except (ValueError, KeyError) as error:
        raise EnvError(
            "is not a valid database URL (expected postgres://user:password@host/name, with several hosts "
            "postgres://user:password@one:5432,two:5432/name, or sqlite:///path)."
        ) from error
    if parsed["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise EnvError("must begin with postgres:// or sqlite://.")
    return parsed if parsed["ENGINE"].endswith("sqlite3") else with_host_and_port(parsed)


def parse_replica_url(url: str) -> dict[str, Any]:
    """Likewise; empty for none."""
    parsed = parse_database_url(url) if url else {}
    if parsed and parsed["ENGINE"].endswith("sqlite3"):
        raise EnvError("must begin with postgres://: SQLite has no replicas.")
    return parsed


HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:,]+)(?::(\d+))?")


def with_hosts_behind_question_mark(url: str) -> str:
    """`postgres://user@one:5432,two/name` as `postgres://user@/name?host=one,two&port=5432,5432`.

    libpq knows both, but urllib, by which URLs are read here, only one host. Raises ValueError.
    """
    head, _, rest = url.partition("://")
    netloc = re.split("[/?#]", rest, maxsplit=1)[0]
    user, at, places = netloc.rpartition("@")
    if "," not in places:
        return url
    found = [HOST_AND_PORT.fullmatch(place) for place in places.split(",")]
    if not all(found):
        raise ValueError("a host or its port cannot be read")
    hosts = ",".join(place[1].strip("[]") for place in found if place)
    ports = ",".join(place[2] or "5432" for place in found if place)
    parts = urlsplit(f"{head}://{user}{at}{rest.removeprefix(netloc)}")
    query = "&".join(filter(None, [urlencode({"host": hosts, "port": ports}, safe=",:"), parts.query]))
    return parts._replace(query=query).geturl()


def with_host_and_port(parsed: dict[str, Any]) -> dict[str, Any]:
    """Moves host and port from the query string to the settings where pg_dump and messages expect them."""
    options = parsed.get("OPTIONS", {})
    place = {"HOST": options.pop("host", parsed["HOST"]), "PORT": options.pop("port", parsed["PORT"])}
    if not place["HOST"] and "/" in parsed["NAME"]:
        folder, _, name = parsed["NAME"].rpartition("/")
        raise EnvError(f"names the folder of a socket as its host; write postgres:///{name}?host=/{folder}")
    hosts, ports = (str(place[name]).split(",") for name in ("HOST", "PORT"))
    if len(ports) not in (1, len(hosts)):
        raise EnvError(f"names {len(hosts)} hosts and {len(ports)} ports.")
    return parsed | place


def sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "core.db.sqlite",
        "CONN_HEALTH_CHECKS": True,  # whether the file was replaced or deleted
        "OPTIONS": {
            # IMMEDIATE: a transaction that reads first and writes later would otherwise fail with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": WAIT_FOR_WRITER,
            # FULL: a confirmed contact survives power loss, which WAL's usual NORMAL does not guarantee.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }


def postgresql(
    *, options: dict[str, Any], connect_timeout: int, network_timeout: int, behind_pooler: bool
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ENGINE": "core.db.postgresql",
        # After a restart of the database no request fails: a dead connection is detected before it is used.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": connect_timeout,
            # Of several hosts the one that takes changes. Nothing works on a standby: even reading notes a key's use.
            "target_session_attrs": "read-write",
            # Statements are bound and prepared by the server. Django's default is neither, which only a pooler needs.
            "server_side_binding": True,
            "prepare_threshold": 5,
            **notice_lost_host(network_timeout),
            **options,
        },
    }
    if behind_pooler:
        # The pooler may give every transaction another server connection, so no state may outlive a transaction.
        settings["DISABLE_SERVER_SIDE_CURSORS"] = True
        settings["OPTIONS"]["prepare_threshold"] = None
    return settings


def notice_lost_host(seconds: int) -> dict[str, int]:
    """libpq's options by which a host that acknowledges nothing for so long counts as lost; none for 0.

    The system's own limits are a quarter of an hour for what was sent, and two hours for a silent connection.
    """
    if not seconds:
        return {}
    return {
        "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": max(seconds // 2, 1),
        "keepalives_interval": max(seconds // 4, 1),
        "keepalives_count": 3,
    }
