"""Reads the Dockerfile, as far as ours goes."""

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch

from tests.service.running import PROJECT


@dataclass
class Stage:
    base: str
    name: str | None
    steps: list[tuple[str, str]] = field(default_factory=list)  # instruction, its argument

    def all(self, instruction: str) -> list[str]:
        return [argument for word, argument in self.steps if word == instruction]

    @property
    def env(self) -> dict[str, str]:
        given = self.all("ARG") + self.all("ENV")
        return dict(pair.split("=", 1) for argument in given for pair in shlex.split(argument))

    @property
    def command(self) -> list[str]:
        return words(self.all("CMD")[-1])

    @property
    def healthcheck(self) -> list[str]:
        return words(self.all("HEALTHCHECK")[-1].split("CMD", 1)[1])


def words(argument: str) -> list[str]:
    """Of the exec form: a JSON list, no shell."""
    found: list[str] = json.loads(argument)
    return found


def stages() -> list[Stage]:
    text = (PROJECT / "Dockerfile").read_text()
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.M)).splitlines()
    found: list[Stage] = []
    for line in filter(str.strip, lines):
        word, argument = line.split(None, 1)
        if word == "FROM":
            base, _, name = argument.partition(" AS ")
            found.append(Stage(base, name or None))
        else:
            found[-1].steps.append((word, argument.strip()))
    return found


def read() -> Stage:
    """The stage that is shipped."""
    return stages()[-1]


def sent_to_the_engine(path: str) -> bool:
    """Whether .dockerignore lets a file of the project, by its relative path, into the build. The last match wins."""
    sent = True
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if any(fnmatch(part, pattern.removeprefix("**/")) for part in parts(path, anywhere=pattern.startswith("**/"))):
            sent = line.startswith("!")
    return sent


def parts(path: str, *, anywhere: bool) -> list[str]:
    """What a pattern is compared with: the path and its folders, and with `**/` also every single name in it."""
    names = path.split("/")
    above = ["/".join(names[:count]) for count in range(1, len(names) + 1)]
    return above + names if anywhere else above
