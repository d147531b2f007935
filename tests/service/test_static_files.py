"""Static files that nginx serves from a folder which every version has collected its own into."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.nginx import Nginx
from tests.service.running import free_port, run

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.once]

OLD = "css/of-an-earlier-version.0123456789ab.css"


@pytest.fixture
def collected(environment: dict[str, str], tmp_path: Path) -> Path:
    """As the step `migrations` leaves it in an update, with the umask of the service."""
    folder = tmp_path / "static"
    (folder / OLD).parent.mkdir(parents=True)
    (folder / OLD).write_text("p {}")
    (tmp_path / "static.collected").write_text("another version")
    prepare = f"umask 077 && exec {sys.executable} manage.py prepare"
    done = run("sh", "-c", prepare, env=environment | {"STATIC_ROOT": str(folder)})
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_of_this_version_and_of_the_one_before_get_their_files(
    collected: Path, nginx: Callable[..., Nginx]
) -> None:
    front = nginx(free_port(), free_port())  # nobody there: what is answered comes from the folder
    hashed = json.loads((collected / "staticfiles.json").read_text())["paths"].values()
    ours = sorted(name for name in hashed if name.endswith((".css", ".js")))
    for name in [*ours[::10], OLD]:
        answer, _ = front.get(f"/static/{name}")
        assert (answer.status, answer.getheader("Cache-Control")) == (200, "max-age=315360000, public, immutable")
        assert all(place.stat().st_mode & 0o4 for place in (collected / name, (collected / name).parent)), "by anybody"
    assert front.get("/static/staticfiles.json")[0].status == 502, "only the service has it"
