"""Collects static files, and knows whether that has been done for just these files."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

UNUSED = ["redoc", "rest_framework"]  # pages that we do not serve; compressing their files takes longer than all others


def are_collected() -> bool:
    return stamp_path().is_file() and stamp_path().read_text() == fingerprint()


def collect_files() -> None:
    """The stamp is written last: a collection killed in the middle counts for nothing."""
    stamp_path().unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    stamp_path().write_text(fingerprint())


def stamp_path() -> Path:
    """Beside the folder, whose every file is public."""
    root = Path(settings.STATIC_ROOT)
    return root.with_name(f"{root.name}.collected")


def fingerprint() -> str:
    """Of the contents: copying files from place to place, as images do, changes their times."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(UNUSED):
            digest.update(name.encode())
            digest.update(hashlib.sha256(Path(storage.path(name)).read_bytes()).digest())
    return digest.hexdigest()
