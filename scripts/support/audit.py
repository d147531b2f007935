"""Asks whether vulnerabilities are known of what the locks name. Exit code 1 with the list if so.

    audit.py LOCK...

Where the service that knows cannot be reached, or does not know the packages, it says so and exits with 0: a network
fault is no fault of the code.
"""

import json
import subprocess
import sys
from typing import Any


def main(locks: list[str]) -> None:
    found = [line for lock in locks for line in vulnerabilities(lock)]
    if found:
        sys.exit("\n".join(sorted(set(found))))


def vulnerabilities(lock: str) -> list[str]:
    options = ["--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off", "--timeout=15"]
    asked = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, f"--requirement={lock}"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(asked.stdout)
    except ValueError:
        reason = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"!!! {lock} WAS NOT AUDITED: the service that knows of vulnerabilities did not answer ({reason}).")
        return []
    known = [package for package in answer["dependencies"] if "skip_reason" not in package]
    loudly = "" if len(known) == len(answer["dependencies"]) else "!!! THE AUDIT IS NOT COMPLETE: "
    print(f"{loudly}{lock}: {len(known)} of {len(answer['dependencies'])} packages audited.")
    return described(answer)


def described(answer: dict[str, Any]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for package in answer["dependencies"]
        for fault in package.get("vulns", [])
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
