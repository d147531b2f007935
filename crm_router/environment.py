"""Settings from the environment, and from files that it names."""

import os
from pathlib import Path
from typing import Any

import environs


class Environment(environs.Env):
    """X_FILE names a file that holds the value of X (Docker secrets).

    A missing or empty file is an error, and so is setting both X and X_FILE.
    """

    def _get_value(self, env_key: str, default: Any) -> Any:
        value = super()._get_value(env_key, default)
        if not (path := os.environ.get(f"{env_key}_FILE")):
            return value
        if os.environ.get(env_key):
            self._errors[env_key].append(f"{env_key}_FILE is set as well; set only one of them.")
            return default
        try:
            content = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            self._errors[env_key].append(f"{path} cannot be read: {getattr(error, 'strerror', 'not a text file')}.")
            return default
        if not content:
            self._errors[env_key].append(f"{path} is empty.")
        return content or default
