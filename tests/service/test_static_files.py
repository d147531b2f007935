"""Static files that nginx serves from a folder which every version has collected its own into."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.conftest import EARLIER
from tests.service.nginx import Nginx
from tests.service.running import free_port

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.once]


@pytest.fixture
def collected(environment: dict[str, str], tmp_path: Path) -> Path:
    """What all starts of these tests use, as an update leaves it: `tests.service.conftest.prepare`."""
    (tmp_path / "static").symlink_to(environment["STATIC_ROOT"])
    return tmp_path / "static"


def test_pages_of_this_version_and_of_the_one_before_get_their_files(
    collected: Path, nginx: Callable[..., Nginx]
) -> None:
    front = nginx(free_port(), free_port())  # nobody there: what is answered comes from the folder
    hashed = json.loads((collected / "staticfiles.json").read_text())["paths"].values()
    ours = sorted(name for name in hashed if name.endswith((".css", ".js")))
    for name in [*ours[::10], EARLIER]:
        answer, _ = front.get(f"/static/{name}")
        assert (answer.status, answer.getheader("Cache-Control")) == (200, "max-age=315360000, public, immutable")
        assert all(place.stat().st_mode & 0o4 for place in (collected / name, (collected / name).parent)), "by anybody"
    compressed = [*collected.rglob("*.gz"), *collected.rglob("*.br")]
    assert len(compressed) > 100
    assert all(copy.stat().st_mode & 0o4 for copy in compressed), "by anybody"
    assert front.get("/static/staticfiles.json")[0].status == 502, "only the service has it"
