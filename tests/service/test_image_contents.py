"""The bill of materials that scripts/image writes, of a folder that looks like an image."""

import json
from importlib.metadata import distribution
from pathlib import Path

import image_contents
import pytest

pytestmark = pytest.mark.once

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13
Description: GNU C Library
 of which this is the second line: it is no field

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "opt/venv/lib/python3.12").mkdir(parents=True)
    packages = tmp_path / "opt/venv/lib/python3.12/site-packages"
    packages.mkdir()
    for found in Path(str(distribution("django").locate_file(""))).glob("[dD]jango-*.dist-info"):
        (packages / found.name).symlink_to(found)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="Debian GNU/Linux"\nVERSION_ID="12"\n')
    return tmp_path


def test_it_names_what_is_installed_with_licence_and_version(image: Path) -> None:
    counted = image_contents.write(image, image / "bill.json")
    bill = json.loads((image / "bill.json").read_text())
    django, libc = bill["components"]
    assert counted == "1 packages of Python and 1 of Debian, valid by the schema of CycloneDX 1.6"
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "crm-lead-router"
    assert (django["name"].lower(), django["licenses"][0]["license"]["id"]) == ("django", "BSD-3-Clause")
    assert libc["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12"


def test_what_the_schema_refuses_is_not_written(image: Path) -> None:
    twice = STATUS.partition("\n\n")[0]
    (image / "var/lib/dpkg/status").write_text(f"{twice}\n\n{twice}\n")
    with pytest.raises(SystemExit, match="does not follow CycloneDX"):
        image_contents.write(image, image / "bill.json")
    assert not (image / "bill.json").exists()
