"""The bill of materials of an image, in CycloneDX 1.6: Python's packages with their licences, and Debian's."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

PROJECT = Path(__file__).parents[2]


def write(root: Path, file: Path) -> str:
    """Of the image whose files lie in this folder; what it counted. Exits with the fault if the schema finds one."""
    bill = of_python(next(root.glob("opt/venv/lib/python*/site-packages")))
    installed = len(bill["components"])
    bill["components"] += of_debian((root / "var/lib/dpkg/status").read_text(), (root / "etc/os-release").read_text())
    text = json.dumps(bill, indent=1, sort_keys=True) + "\n"
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        sys.exit(f"The bill of materials does not follow CycloneDX 1.6: {fault}")
    file.write_text(text)
    debian = len(bill["components"]) - installed
    return f"{installed} packages of Python and {debian} of Debian, valid by the schema of CycloneDX 1.6"


def of_python(packages: Path) -> dict[str, Any]:
    """As cyclonedx-py reads an environment. The image's Python may not run here, so one of ours lends itself."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        [own] = Path(folder).glob("lib/python*/site-packages")
        own.rmdir()
        own.symlink_to(packages)
        words = ["environment", "--pyproject", str(PROJECT / "pyproject.toml"), "--output-reproducible", "--sv", "1.6"]
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [sys.executable, "-m", "cyclonedx_py", *words, folder]
        done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"cyclonedx-py failed: {done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def of_debian(status: str, release: str) -> list[dict[str, Any]]:
    """The installed packages, from dpkg's own list."""
    [number] = re.findall(r'^VERSION_ID="?([\d.]+)"?$', release, re.M)
    components = []
    for paragraph in status.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"[\w-]+: ", line))
        if fields["Status"] != "install ok installed":
            continue
        name, version, kind = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={kind}&distro=debian-{number}"
        components.append({"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl})
    return components
