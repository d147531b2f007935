"""Pins the images that Dockerfile and compose files name: postgres:17-bookworm becomes postgres:17-bookworm@sha256:...

All or nothing: without an answer for each image, no file is changed. Standard library only.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parents[2]
# Images with a variable in their names are built here and have no digest in a registry.
IMAGE = re.compile(r"^(FROM |\s+image: )([\w./:-]+:[\w.-]+)(@sha256:[0-9a-f]{64})?(?= AS |$)", re.MULTILINE)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main() -> None:
    files = [PROJECT / "Dockerfile", *sorted(PROJECT.glob("compose*.yaml")), *sorted(PROJECT.glob("deploy/*.yaml"))]
    texts = {file: file.read_text() for file in files}
    names = sorted({name for text in texts.values() for _, name, _ in IMAGE.findall(text)})
    digests = {name: ask_registry(name) for name in names}
    for file, text in texts.items():
        pinned = IMAGE.sub(lambda found: f"{found[1]}{found[2]}@{digests[found[2]]}", text)
        if pinned != text:
            file.write_text(pinned)
    for name, digest in digests.items():
        print(f"{name} is {digest}")


def ask_registry(name: str) -> str:
    """The digest of the image for all platforms, as the registry that docker is set up with answers."""
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        give_up(name, "docker is not installed")
    except subprocess.TimeoutExpired:
        give_up(name, "the registry does not answer")
    digest = done.stdout.strip()
    if done.returncode or not DIGEST.fullmatch(digest):
        give_up(name, (done.stderr.strip() or digest or "no answer").splitlines()[0])
    return digest


def give_up(name: str, reason: str) -> NoReturn:
    sys.exit(f"No digest for {name}: {reason}. Nothing was changed.")


if __name__ == "__main__":
    main()
