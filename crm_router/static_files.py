"""Collects static files, and checks whether the collected files are current."""

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

UNUSED = ["redoc", "rest_framework"]  # their pages are not served; compressing their files takes longer than all others


def are_collected() -> bool:
    return stamp_path().is_file() and stamp_path().read_text() == fingerprint()


def collect_files() -> None:
    """Collects the files. The stamp is written last, so that an interrupted collection does not count.

    Everybody may read them, whatever the umask of the service: a proxy may serve them as another user.
    """
    stamp_path().unlink(missing_ok=True)
    usual = os.umask(0o022)  # not FILE_UPLOAD_PERMISSIONS, which the compressed copies do not get
    try:
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    finally:
        os.umask(usual)
    stamp_path().write_text(fingerprint())


def stamp_path() -> Path:
    """The path of the stamp, beside the folder, because all files in it are public."""
    root = Path(settings.STATIC_ROOT)
    return root.with_name(f"{root.name}.collected")


def fingerprint() -> str:
    """A digest of the files' contents. Times are not used, because copying files, as image builds do, changes them."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(UNUSED):
            digest.update(name.encode())
            digest.update(hashlib.sha256(Path(storage.path(name)).read_bytes()).digest())
    return digest.hexdigest()
