"""The real nginx with the configuration of deploy/nginx, in front of services on loopback."""

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.service.running import PATIENCE, PROJECT, children, free_port, wait_until

FOLDER = PROJECT / "deploy/nginx"

AROUND = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log; # as Debian has it: what a server does not set itself is written like this
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include conf.d/*.conf;
}}
"""
PLACE = """\
listen 127.0.0.1:{port} ssl;
server_name localhost;
ssl_certificate {folder}/certificate;
ssl_certificate_key {folder}/key;
root {static};
"""


def program() -> str:
    found = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not found:
        pytest.fail("No nginx: install it, or name it in NGINX_PROGRAM.")
    return found


class Nginx:
    def __init__(self, folder: Path, *, instances: list[int], static: Path, read_timeout: str = "60s") -> None:
        self.folder, self.port, self.plain_port = folder, free_port(), free_port()
        self.address = ("127.0.0.1", self.port)
        (folder / "conf.d").mkdir(parents=True)
        # The folders of root's tests are root's alone.
        self.write("nginx.conf", AROUND.format(folder=folder, user="user root root;" if os.geteuid() == 0 else ""))
        conf = (FOLDER / "crm-router.conf").read_text()
        conf = conf.replace("listen 80;", f"listen 127.0.0.1:{self.plain_port};")
        conf = conf.replace("listen [::]:80;", "")
        conf = conf.replace("/var/log/nginx/", f"{folder}/").replace("/var/www/", f"{folder}/")
        conf = conf.replace("proxy_read_timeout 60s;", f"proxy_read_timeout {read_timeout};")
        self.write("conf.d/default.conf", conf)
        upstream = (FOLDER / "crm-router.upstream.systemd").read_text()
        one = next(line for line in upstream.splitlines() if ":8001 " in line)
        self.write("conf.d/crm-router.upstream", "\n".join(one.replace(":8001 ", f":{port} ") for port in instances))
        self.alone = [free_port() for _ in instances]  # where each instance is reached by itself
        alone = (FOLDER / "crm-router.instances.compose").read_text().replace("/var/log/nginx/", f"{folder}/")
        for name, number, port, own in zip(("app-a", "app-b"), (8001, 8002), instances, self.alone, strict=False):
            alone = alone.replace(f"{number} {name}:8000", f"{own} 127.0.0.1:{port}")
            alone = alone.replace(f"listen {number}", f"listen 127.0.0.1:{own}")
        self.write("conf.d/instances.conf", alone)
        self.write("conf.d/crm-router.place", PLACE.format(folder=folder, port=self.port, static=static))
        make_certificate(folder)
        self.trust = ssl.create_default_context(cafile=str(folder / "certificate"))
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def start(self) -> "Nginx":
        self.process = subprocess.Popen([program(), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
        wait_until((self.folder / "pid").exists, "nginx has started")
        return self

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        with closing(http.client.HTTPSConnection(*self.address, timeout=PATIENCE, context=self.trust)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()

    def log(self) -> str:
        """Both of them, one after the other."""
        return "".join((self.folder / f"{name}.log").read_text() for name in ("access", "error"))

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]
        return [line for line in lines if line["request_id"] == request_id]

    def kill(self) -> None:
        """kill -9 of master and workers: one worker that is left would keep the port."""
        assert self.process
        for pid in (self.process.pid, *children(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        (self.folder / "pid").unlink()

    def destroy(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)


def make_certificate(folder: Path) -> None:
    """For `localhost`, signed by itself."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    names = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subprocess.run(["openssl", "req", *kind, *names, *subject], check=True, capture_output=True)
