"""Makes the virtual environment, or brings it up to date. Standard library only: it runs before anything is installed.

    environment.py check VENV LOCK...    exit 0 when VENV, whose Python runs this, holds the last lock
    environment.py make VENV LOCK...     makes that true

Each lock contains those before it. A stamp in the environment says which locks it holds. It is written last and
removed first, so that an installation killed in the middle is never taken for a good one.
"""

import errno
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

# Before anything below that an older Python cannot read.
if sys.version_info < (3, 11):  # noqa: UP036 - the guide calls this with whatever Python the machine has
    sys.exit("Python 3.11 or newer is required; %s is %s." % (sys.executable, sys.version.split()[0]))  # noqa: UP031

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


def main(verb: str, venv: Path, locks: list[Path]) -> None:
    if verb == "check":
        sys.exit(0 if holds(venv, locks) else 1)
    try:
        venv.mkdir(parents=True, exist_ok=True)
        # Two starts at once must not install over each other, be they of two checkouts that share the environment.
        # Children inherit the lock: pip may outlive a killed start.
        mutex = os.open(venv, os.O_RDONLY)
        os.set_inheritable(mutex, True)
        fcntl.flock(mutex, fcntl.LOCK_EX)
        if not checked(venv, locks):
            make(venv, locks)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        sys.exit(f"The environment is out of date; run: {command_for_root(venv, locks)}")


def command_for_root(venv: Path, locks: list[Path]) -> str:
    """To be typed in any folder. The service's own user may not write where its code lies (docs/operations.md)."""
    paths = [Path(__file__), *locks]
    script, *files = [str(path.resolve()) for path in paths]
    return shlex.join(["sudo", base_python(), script, "make", str(venv.absolute()), *files])


def holds(venv: Path, locks: list[Path]) -> bool:
    stamp = stamp_of(venv, locks[-1])
    return stamp.is_file() and stamp.read_text() == fingerprint(locks)


def stamp_of(venv: Path, lock: Path) -> Path:
    return venv / f"{lock.name}.installed"


def fingerprint(locks: list[Path]) -> str:
    """Of this Python and these locks."""
    version = ".".join(map(str, sys.version_info[:2]))
    return hashlib.sha256(b"\n".join([version.encode(), *(lock.read_bytes() for lock in locks)])).hexdigest()


def checked(venv: Path, locks: list[Path]) -> bool:
    """Asks the environment's own Python, which may be gone or another one by now."""
    try:
        return run(venv / "bin/python", __file__, "check", venv, *locks, quiet=True) == 0
    except OSError:
        return False


def make(venv: Path, locks: list[Path]) -> None:
    stamps = [stamp_of(venv, lock) for lock in locks]
    # A service may be running from a whole environment, so that one is changed in place.
    if not (any(stamp.is_file() for stamp in stamps) and runs_this_version(venv)):
        create(venv)
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    print(f"Installing {locks[-1].name} into {venv} (once, up to a minute) ...", file=sys.stderr, flush=True)
    if not install(venv, locks[-1]):
        sys.exit(f"{locks[-1].name} could not be installed; see the error above.")
    for number, stamp in enumerate(stamps, start=1):
        stamp.write_text(fingerprint(locks[:number]))


def install(venv: Path, lock: Path) -> bool:
    """By uv if the lock has it, which takes a quarter of pip's time; by pip where uv reaches no registry."""
    python = venv / "bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # Wheels only: what is built here would run code of its own while it is installed, as root perhaps.
    strict = ["--only-binary", ":all:", "--require-hashes", "-r"]
    of_uv = re.search(r"^uv==.*?(?=^\S|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)
    if of_uv:
        only_uv = venv / "uv.txt"
        only_uv.write_text(of_uv[0])
        uv = [python, "-m", "uv", "pip", "install", "--python", python, "--compile-bytecode"]
        if run(*pip, *strict, only_uv) == 0 and run(*uv, *strict, lock, quiet=True) == 0:
            return True
    return run(*pip, *strict, lock) == 0


def runs_this_version(venv: Path) -> bool:
    ask = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return run(venv / "bin/python", "-c", ask, quiet=True) == 0
    except OSError:
        return False


def create(venv: Path) -> None:
    config = venv / "pyvenv.cfg"
    if venv.exists() and not config.exists() and any(venv.iterdir()):
        sys.exit(f"{venv} is not a virtual environment and not empty. Nothing was changed; set VENV to another folder.")
    # There from the first moment to the last: a run killed in between leaves a folder that is known to be ours.
    # Hence no --clear, which would take it away for a while.
    venv.mkdir(parents=True, exist_ok=True)
    config.touch()
    for leftover in venv.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        elif leftover != config:
            leftover.unlink()
    if run(base_python(), "-m", "venv", venv):
        sys.exit(f"The virtual environment {venv} could not be created; see the error above.")


def base_python() -> str:
    """Not one inside a folder that is about to be cleared."""
    return getattr(sys, "_base_executable", sys.executable)


def run(*command: object, quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    return subprocess.run(words, stdout=output, stderr=output, close_fds=False, check=False).returncode


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(lock) for lock in sys.argv[3:]])
