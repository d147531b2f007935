# Sourced by the commands one folder up, which stand in the project's folder by then.

VENV="${VENV:-.venv}"

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Prints the path of the newest Python that will do. Some are only stubs or come without venv, so each one is tried.
# Of two of one version it is the system's: distributions build theirs with all optimisations, which pyenv, for one, does
# not (docs/performance.md).
find_python() {
    local candidate state found=""
    case ":$PATH:" in *:/usr/bin:*) local PATH="/usr/bin:$PATH" ;; esac
    for candidate in python3.13 python3.12 python3.11 python3; do
        state="$("$candidate" -c '
import sys
try:
    import ensurepip, venv
    bare = False
except ImportError:
    bare = True
print("old" if sys.version_info < (3, 11) else "bare" if bare else "good")' 2>/dev/null || true)"
        if [ "$state" = good ]; then
            type -P "$candidate"
            return
        elif [ -n "$state" ] && [ "$found" != bare ]; then
            found="$state"
        fi
    done
    case "$found" in
        bare) die "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv" ;;
        old) die "Python is too old: $(python3 --version 2>&1). Python 3.11 or newer is required, as python3 or python3.11 on the PATH." ;;
        *) die "Python was not found. Python 3.11 or newer is required, as python3 or python3.11 on the PATH." ;;
    esac
}

# use_environment LOCK...: sets $python to the interpreter of a virtual environment that holds the last lock.
# Each lock contains those before it.
use_environment() {
    local base
    python="$VENV/bin/python"
    if ! "$python" scripts/support/environment.py check "$VENV" "$@" 2>/dev/null; then
        base="$(find_python)"
        "$base" scripts/support/environment.py make "$VENV" "$@"
    fi
}
