"""The Dockerfile as instructions."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field

from tests.deploy.documents import ROOT


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word, and the rest on one line."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest without its --options, as a shell splits it."""
        return [one for one in shlex.split(self.rest) if not one.startswith("--")]

    @property
    def option_from(self) -> str | None:
        """The stage that a COPY takes from."""
        found = re.match(r"--from=(\S+)", self.rest)
        return found[1] if found else None


@dataclass
class Stage:
    """A stage: its base, its name, what it does."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        """Every instruction of a kind, in order."""
        return [one for one in self.instructions if one.word == word]

    def command(self, word: str) -> list[str]:
        """The words of the one ENTRYPOINT or CMD in exec form."""
        (one,) = self.all(word)
        return [str(part) for part in json.loads(one.rest)]

    @property
    def environment(self) -> dict[str, str]:
        """What the ENV instructions set."""
        pairs = (one.partition("=") for env in self.all("ENV") for one in env.words)
        return {name: value for name, _, value in pairs}


def stages() -> list[Stage]:
    """Every stage of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[Stage] = []
    for line in filter(None, whole.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name or None))
        else:
            found[-1].instructions.append(Instruction(word, rest.strip()))
    return found


def builder() -> Stage:
    """The stage that installs."""
    (one,) = (stage for stage in stages() if stage.name == "builder")
    return one


def final() -> Stage:
    """The stage that runs."""
    return stages()[-1]


def healthcheck() -> list[str]:
    """The command of the HEALTHCHECK."""
    (one,) = final().all("HEALTHCHECK")
    return [str(part) for part in json.loads(one.rest.partition("CMD ")[2])]
