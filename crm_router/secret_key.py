"""The secret that signs sessions: created once, stored beside the data, never in the code."""

import os
import secrets
from pathlib import Path


def read_or_make(path: Path) -> str:
    """The key in `path`; a fresh random one is stored there first when there is none.

    Several processes may start concurrently: a complete file is linked into place, so that all read the same key.
    Raises OSError when the folder cannot be written.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold personal data, too
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its key is the one
        finally:
            draft.unlink()
    return path.read_text().strip()
