"""Behind HTTPS: what the proxy says counts, and only what the proxy says."""

import http.client
from http.client import HTTPResponse
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service, read_settings, run

pytestmark = [pytest.mark.service, pytest.mark.once]

PRODUCTION = {"HTTPS": "true", "TRUSTED_PROXIES": "127.0.0.1", "ALLOWED_HOSTS": "crm.example.com,127.0.0.1"}
ENCRYPTED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


def ask(service: Service, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    connection = http.client.HTTPConnection(*service.address, timeout=PATIENCE)
    connection.request(method, path, headers={"Host": "crm.example.com"} | headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def service(start_for_all: StartService) -> Service:
    return start_for_all(**PRODUCTION)


def test_people_are_led_to_https_programs_refused_and_probes_answered(service: Service) -> None:
    page = ask(service, "/admin/login/")
    assert (page.status, page.getheader("Location")) == (301, "https://crm.example.com/admin/login/")
    assert ask(service, "/api/v1/contacts", "POST").status == 403
    assert service.get("/health") == (200, {"status": "ok"})
    assert service.get("/health/ready")[0] == 200


def test_through_the_proxy_everything_answers_and_cookies_stay_encrypted(service: Service) -> None:
    page = ask(service, "/admin/login/", **ENCRYPTED)
    assert page.status == 200
    assert page.getheader("Strict-Transport-Security") == "max-age=2592000"
    assert "Secure" in (page.getheader("Set-Cookie") or "")
    assert page.getheader("Server") == "gunicorn"  # and not which one
    assert ask(service, "/api/v1/operators", **ENCRYPTED).status == 401  # who comes through a proxy needs a key


def test_who_is_no_proxy_is_not_believed(start: StartService) -> None:
    service = start(**PRODUCTION | {"TRUSTED_PROXIES": "203.0.113.1"}).wait_until_up()

    assert ask(service, "/api/v1/operators", **ENCRYPTED).status == 403
    assert ask(service, "/admin/", **ENCRYPTED).status == 301


def check(env: dict[str, str], *more: str) -> CompletedProcess[str]:
    return run(f"{env['VENV']}/bin/python", "manage.py", "check", *more, env=env)


def test_the_checks_for_production_find_nothing(environment: dict[str, str]) -> None:
    done = check(environment | PRODUCTION, "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("nonsense", "said"),
    [
        ({"HTTPS": "true"}, "HTTPS=true requires TRUSTED_PROXIES"),
        (PRODUCTION | {"DEBUG": "true"}, "HTTPS=true does not allow DEBUG=true"),
        (PRODUCTION | {"ALLOWED_HOSTS": "*"}, "HTTPS=true does not allow ALLOWED_HOSTS=*"),
        ({"TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES: '*' does not appear to be an IPv4 or IPv6 network."),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: 10.0.0.1/8 has host bits set."),
        ({"TRUSTED_PROXIES": "10.0.0.5, 0.0.0.0/0"}, "TRUSTED_PROXIES: 0.0.0.0/0 covers all addresses"),
        ({"TRUSTED_PROXIES": "::/0"}, "TRUSTED_PROXIES: ::/0 covers all addresses"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS: is empty."),
        ({"ALLOWED_HOSTS": "localhost,"}, "ALLOWED_HOSTS: “” is not a valid host name"),
        (
            {"ALLOWED_HOSTS": "https://crm.example.com"},
            "ALLOWED_HOSTS: “https://crm.example.com” is not a valid host name",
        ),
        (
            {"ALLOWED_HOSTS": "localhost,crm.example.com/api"},
            "ALLOWED_HOSTS: “crm.example.com/api” is not a valid host name",
        ),
        ({"ALLOWED_HOSTS": "crm.example.com:443"}, "ALLOWED_HOSTS: “crm.example.com:443” is not a valid host name"),
        ({"CSRF_TRUSTED_ORIGINS": "crm.example.com"}, "CSRF_TRUSTED_ORIGINS: “crm.example.com” is not a valid origin"),
        (
            {"CSRF_TRUSTED_ORIGINS": "https://a.example,https://b.example/"},
            "“https://b.example/” is not a valid origin",
        ),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: 0 is not a number from 1 to 64."),
        ({"WEB_CONCURRENCY": "abc"}, "WEB_CONCURRENCY: abc is not a number from 1 to 64."),
        ({"WEB_THREADS": "0"}, "WEB_THREADS: 0 is not a number from 1 to 64."),
        ({"WEB_THREADS": "65"}, "WEB_THREADS: 65 is not a number from 1 to 64."),
        ({"SECRET_KEY": "secret"}, "SECRET_KEY: is shorter than 50."),
        (
            {"TWO_FACTOR_ROLES": "Supervisor,Boss"},
            "TWO_FACTOR_ROLES: contains an unknown role (expected Supervisor, Operator, Administrator).",
        ),
        ({"SESSION_HOURS": "0"}, "SESSION_HOURS:"),
        ({"METRICS_TOKEN_FILE": "/nowhere"}, "METRICS_TOKEN: /nowhere cannot be read: No such file or directory."),
        ({"API_KEYS": "open", "TRUSTED_PROXIES": "127.0.0.1"}, "API_KEYS=open with TRUSTED_PROXIES"),
        (
            {"API_KEYS": "open", "ALLOWED_HOSTS": "localhost,crm.example.com"},
            "API_KEYS=open with ALLOWED_HOSTS=crm.example.com would",
        ),
        ({"API_KEYS": "open", "ALLOWED_HOSTS": "*"}, "API_KEYS=open with ALLOWED_HOSTS=* would"),
    ],
)
def test_nonsense_stops_the_start(tmp_path: Path, nonsense: dict[str, str], said: str) -> None:
    """The first is also tried with a process of its own below."""
    with pytest.raises(SystemExit) as stop:
        read_settings({"DATA_DIR": str(tmp_path)} | nonsense)
    assert said in str(stop.value.code)


def test_whatever_stops_it_is_printed_and_exit_code_1(environment: dict[str, str]) -> None:
    done = check(environment | {"HTTPS": "true"})
    assert done.returncode == 1
    assert "HTTPS=true requires TRUSTED_PROXIES" in done.stderr


def test_what_makes_sense_does_not(environment: dict[str, str], tmp_path: Path) -> None:
    """Compose passes on as empty what is not set."""
    sense = {
        "ALLOWED_HOSTS": "*,localhost,127.0.0.1,[::1],.example.com,app_a",
        "CSRF_TRUSTED_ORIGINS": "https://crm.example.com,http://localhost:8000,https://*.example.com",
        "TRUSTED_PROXIES": "10.0.0.5, 172.16.0.0/12,::1",
        "WEB_CONCURRENCY": "64",
        "WEB_THREADS": "1",
    }
    unset = dict.fromkeys(set(sense) - {"ALLOWED_HOSTS"}, "")
    assert check(environment | sense).returncode == 0
    data = {"DATA_DIR": str(tmp_path)}
    assert simple(read_settings(data | unset)) == simple(read_settings(data))


def simple(settings: dict[str, Any]) -> dict[str, Any]:
    """Those settings that can be compared."""
    return {name: value for name, value in settings.items() if name.isupper() and is_simple(value)}


def is_simple(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(is_simple, value))
    return isinstance(value, str | int | float | Path | None)
