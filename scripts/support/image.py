"""Builds the image, runs it, and proves that it works. scripts/image says how it is called."""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import image_contents
from image_buildah import Buildah
from image_docker import Docker
from image_engine import Container, Engine
from postgresql import free_port

PATIENCE = 180  # seconds until it is ready: it migrates an empty database first
GRACE = 40  # seconds to stop in, as stop_grace_period in compose.yaml
PROJECT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/image", description="Builds the image and proves that it works.")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/crm-router-image"))
    parser.add_argument("--pull", action="store_true", help="take the base image from its registry, with buildah too")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(PROJECT)
    engine: Engine = Docker() if Docker.answers() else Buildah(options.folder, pull=options.pull)
    try:
        started = time.monotonic()
        engine.build()
        took = time.monotonic() - started
        show("built with", f"{engine.name} in {took:.0f} s, {engine.size() / 1e6:.0f} MB")
        show("version", version_label(engine.config()))
        with tempfile.TemporaryDirectory(prefix="crm-router-image-") as scratch:
            Path(scratch).chmod(0o755)  # the user of the image is nobody's here
            bill = options.folder / f"crm-router-{version_label(engine.config())}.cdx.json"
            with engine.files(Path(scratch)) as root:
                show("bill of materials", f"{bill}: {image_contents.write(root, bill)}")
            prove(engine, Path(scratch))
    finally:
        engine.clean_up()
    for gap in engine.gaps:
        print(f"Not shown here: {gap}.")


def version_label(config: dict[str, Any]) -> str:
    """Of the image, which has to be that of the code."""
    [written] = re.findall(r'^VERSION = "(.+)"$', (PROJECT / "crm_router/__init__.py").read_text(), re.M)
    label: str = config["Labels"]["org.opencontainers.image.version"]
    require(label == written, f"the label says {label}, the code {written}")
    return label


def prove(engine: Engine, scratch: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with running(engine, scratch, port) as container:
        began = time.monotonic()
        wait_until_ready(f"{base}/health/ready", container)
        show("ready", f"/health/ready answers 200 after {time.monotonic() - began:.0f} s")
        show("rights", check_rights(container))
        healthcheck = engine.config()["Healthcheck"]["Test"]
        require(container.run(*healthcheck[1:]) == 0, f"the health check fails: {healthcheck}")
        show("health check", "succeeds")
        require(container.run("/opt/venv/bin/python", "-m", "pip", "--version") != 0, "pip is left in it")
        show("contact", register(f"{base}/api/v1"))
        show("root page", f"says version {require_version(engine, base)}")
        seconds, code = container.stop(GRACE)
        log = container.log()
        require(code == 0, f"exit code {code} after SIGTERM, not 0:\n{log[-4000:]}")
        require('  File "' not in log, f"a traceback in the log:\n{log[-8000:]}")  # the log has no line "Traceback"
        show("stopped", f"by SIGTERM in {seconds:.1f} s, exit code 0, no traceback in {len(log.splitlines())} lines")


@contextmanager
def running(engine: Engine, scratch: Path, port: int) -> Iterator[Container]:
    """With the settings of compose.yaml that differ from those of the image: keys are not needed on this machine."""
    settings = {"API_KEYS": "open", "API_KEYS_OPEN_ANYWHERE": "true", "ALLOWED_HOSTS": "127.0.0.1"}
    container = engine.start(scratch, port, settings)
    try:
        yield container
    finally:
        container.kill()


def wait_until_ready(url: str, container: Container) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        require(container.lives(), f"it ended before it was ready:\n{container.log()[-4000:]}")
        try:
            urlopen(url, timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    sys.exit(f"The image does not work: not ready after {PATIENCE} s:\n{container.log()[-4000:]}")


def check_rights(container: Container) -> str:
    """What process 1 may do, by the kernel, and where its user can write."""
    status = container.status()
    user = status["Uid"].split()[0]
    require(user == "10001", f"it runs as user {user}")
    require(int(status["CapEff"], 16) == 0, f"it has capabilities: {status['CapEff']}")
    require(status["NoNewPrivs"] == "1", "it may gain privileges")
    for folder in ("/", "/app", "/opt/venv", "/opt/static", "/usr/local", "/var/tmp"):
        probe = f"{folder}/probe"
        require(container.run("/bin/sh", "-c", f"! touch {probe} 2>/dev/null") == 0, f"{probe} could be written")
    for folder in ("/data", "/tmp"):
        probe = f"{folder}/probe"
        require(container.run("/bin/sh", "-c", f"touch {probe} && rm {probe}") == 0, f"{probe} could not be written")
    return "user 10001, no capabilities, no new privileges; writes to /data and /tmp only"


def register(api: str) -> str:
    """One contact, read back."""
    operator = call(f"{api}/operators", {"name": "Anna", "max_load": 5})
    source = call(f"{api}/sources", {"name": "Bot"})
    call(f"{api}/sources/{source['id']}/operators", {"operator_id": operator["id"], "weight": 10})
    message = {"source_id": source["id"], "lead_phone": "+79991234567", "message": "Hello"}
    registered = call(f"{api}/contacts", message)
    read = call(f"{api}/contacts/{registered['id']}")
    require(read["operator_id"] == operator["id"], f"the contact has another operator: {read}")
    require(read["message"] == "Hello", f"the contact has another message: {read}")
    return f"{read['id']} registered, read back, with operator {read['operator_id']}"


def require_version(engine: Engine, base: str) -> str:
    said: str = call(f"{base}/")["version"]
    require(said == version_label(engine.config()), f"the service says version {said}")
    return said


def call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET, or POST with a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    with urlopen(Request(url, data, headers), timeout=30) as answer:
        read: dict[str, Any] = json.load(answer)
    return read


def require(condition: bool, otherwise: str) -> None:
    if not condition:
        sys.exit(f"The image does not work: {otherwise}")


def show(what: str, found: str) -> None:
    print(f"{what + ':':<18} {found}", flush=True)


if __name__ == "__main__":
    main()
