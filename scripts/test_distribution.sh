#!/usr/bin/env bash
# Registers 100 contacts with a running service, and prints who got how many and every operator's load.
#   scripts/test_distribution.sh [--source ID] [--count N] [--while PID]
# BASE_URL names the service (http://127.0.0.1:8000), API_KEY holds a management key where one is required. Without
# --source the first source that has a roster is taken; when there is none, two operators and a source are made.
# --while waits for a service that is coming up, as long as that process lives.
# Needs python3 only, of any version that is still supported.
set -euo pipefail

base_url="${BASE_URL:-http://127.0.0.1:8000}"
base_url="${base_url%/}"
source_id="" count=100 starting=0
while [ $# -gt 0 ]; do
    case "$1" in
        --source) source_id="${2:?--source needs an id}" && shift 2 ;;
        --count) count="${2:?--count needs a number}" && shift 2 ;;
        --while) starting="${2:?--while needs a process id}" && shift 2 ;;
        -h | --help) exec sed -n '2,7s/^# \{0,1\}//p' "$0" ;;
        *) echo "$0: unknown option $1; see --help." >&2 && exit 1 ;;
    esac
done
for number in "$count" "${source_id:-1}"; do
    [[ "$number" =~ ^[1-9][0-9]{0,5}$ ]] || { echo "$number is not a number from 1 to 999999." >&2 && exit 1; }
done
[[ "$starting" =~ ^[0-9]{1,9}$ ]] || { echo "$starting is not a process id." >&2 && exit 1; }

export API_KEY="${API_KEY:-}" # not an argument: those can be read by every user of the machine
PYTHONIOENCODING=utf-8 exec python3 - "$base_url" "$count" "$source_id" "$starting" <<'PYTHON'
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from collections import Counter

SERVICE, COUNT, SOURCE, STARTING = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
BASE = SERVICE + "/api/v1"
HEADERS = {"Content-Type": "application/json"}
if os.environ["API_KEY"]:
    HEADERS["Authorization"] = "Bearer " + os.environ["API_KEY"]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def wait_for_service():
    """Returns when somebody answers; gives up if nobody does and the process STARTING does not live, or is none."""
    while True:
        may_come = STARTING > 0 and is_alive(STARTING)
        try:
            urllib.request.urlopen(SERVICE + "/health", timeout=5).close()
            return
        except (OSError, ValueError):
            if not may_come:
                sys.exit(
                    f"Nobody answers at {SERVICE}/health. "
                    "Start the service by scripts/serve, or name it: BASE_URL=http://..."
                )
        time.sleep(0.2)


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, HEADERS, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read().decode())
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            text = json.loads(text)["detail"]
        except (ValueError, KeyError, TypeError):
            pass
        if error.code == 401:
            text += " Name it: API_KEY=... To make one: manage.py create_api_key --management --name NAME"
        sys.exit(f"{method} {path} was answered with {error.code}: {text}")
    except OSError as error:
        sys.exit(f"{method} {path} was not answered: {error}")


def choose_source():
    if SOURCE:
        return call("GET", f"/sources/{SOURCE}")
    sources = call("GET", "/sources")
    for source in sources:
        if call("GET", f"/sources/{source['id']}/operators"):
            return source
    return make_roster(sources)


def make_roster(sources):
    name = "Проверка распределения"
    print(f"No source has a roster. Making operators Анна (weight 10) and Борис (weight 30) on the source {name}.")
    source = next((s for s in sources if s["name"] == name), None) or call("POST", "/sources", {"name": name})
    for operator_name, weight in (("Анна", 10), ("Борис", 30)):
        operator = call("POST", "/operators", {"name": operator_name, "max_load": 100})
        call("POST", f"/sources/{source['id']}/operators", {"operator_id": operator["id"], "weight": weight})
    return source


def register(source):
    """Contacts of new people: another range of numbers each time."""
    first = random.randrange(10**7 - COUNT)
    got = Counter()
    for number in range(first, first + COUNT):
        body = {"source_id": source["id"], "lead_phone": f"+7999{number:07d}", "message": "Проверка распределения"}
        got[call("POST", "/contacts", body)["operator_id"]] += 1
    return got


def share(part, whole):
    return f"{part / whole:.1%}" if whole else "-"


def report(source, got):
    weights = {entry["operator_id"]: entry["weight"] for entry in call("GET", f"/sources/{source['id']}/operators")}
    operators = call("GET", "/operators")
    names = {operator["id"]: operator["name"] for operator in operators}
    waiting = got.pop(None, 0)
    assigned = sum(got.values())
    print(f"\n{source['name']} (source {source['id']}): {COUNT} contacts, {assigned} assigned, {waiting} waiting")
    print(f"  {'operator':<24}{'weight':>8}{'contacts':>10}{'share':>9}{'expected':>10}")
    for operator_id in sorted(weights.keys() | got.keys()):
        weight = weights.get(operator_id, 0)
        print(
            f"  {names.get(operator_id, operator_id)!s:<24}{weight:>8}{got[operator_id]:>10}"
            f"{share(got[operator_id], assigned):>9}{share(weight, sum(weights.values())):>10}"
        )
    if waiting:
        print("  Some wait because nobody is free. Shares bend as soon as somebody is at the limit or off duty.")
    print("\nEvery operator's load")
    for operator in operators:
        duty = "" if operator["is_active"] else "  off duty"
        print(f"  {operator['name']:<24}{operator['current_load']:>4} of {operator['max_load']}{duty}")


wait_for_service()
source = choose_source()
report(source, register(source))
PYTHON
