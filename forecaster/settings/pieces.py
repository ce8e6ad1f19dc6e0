"""A document read piece by piece, so that one bad section does not hide the faults of another."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from forecaster.errors import SettingsProblem
from forecaster.settings.document import Document, Keys
from forecaster.settings.problems import example_at, problems_of
from forecaster.settings.secret_files import read_secret
from forecaster.settings.shape import SettingsShape
from forecaster.settings.source_shape import Shape

__all__ = ["Pieces"]

S = TypeVar("S", bound=Shape)


class Pieces:
    """The sections of a document, and all the problems found so far.

    Everything that pydantic refuses is noted at once, by the constructor; ``whole`` is None then.
    Relative paths start at ``folder``. ``elsewhere`` takes files with secrets, and those that
    must be there, for good: they are on another machine.
    """

    def __init__(self, document: Document, folder: Path, *, elsewhere: bool = False) -> None:
        self._document = document
        self._elsewhere = elsewhere
        self._folder = folder
        self.problems: list[SettingsProblem] = list(document.problems)
        self.whole: SettingsShape | None = None
        try:
            self.whole = SettingsShape.model_validate(document.data)
        except ValidationError as error:
            self.problems += problems_of(error, document, SettingsShape)

    def piece(self, shape: type[S], *keys: str | int) -> S | None:
        """The section at ``keys``, or its defaults where it is left out.

        Values that were refused, and noted so, are left out too, so that what stands beside them
        can still be checked; None where nothing is left to check.
        """
        data = copy.deepcopy(self._document.at(keys))
        data = {} if data is None else data
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            for refused in error.errors(include_url=False):
                _drop(data, refused["loc"])
        try:
            return shape.model_validate(data)
        except ValidationError:
            return None

    def keys_at(self, *keys: str | int) -> list[str]:
        """The keys of the mapping at ``keys``; none where there is no mapping."""
        data = self._document.at(keys)
        return list(data) if isinstance(data, dict) else []

    def variables_below(self, *keys: str | int) -> list[str]:
        """The environment variables that set something at ``keys`` or below."""
        variables = self._document.variables
        return [name for place, name in variables.items() if place[: len(keys)] == keys]

    def count_at(self, *keys: str | int) -> int:
        """The length of the list at ``keys``; 0 where there is no list."""
        data = self._document.at(keys)
        return len(data) if isinstance(data, list) else 0

    def note(self, keys: Keys, message: str, example: str | None = None) -> None:
        """Add a problem; the field's own example goes with it unless another is given."""
        example = example_at(SettingsShape, keys) if example is None else example
        self.problems.append(self._document.problem(keys, message, example))

    def line(self, keys: Keys) -> int | None:
        """The line of the value at ``keys``."""
        return self._document.lines.get(keys)

    def path(self, text: str) -> Path:
        """A path of the file, as an absolute one."""
        return (self._folder / Path(text).expanduser()).absolute()

    def readable(self, keys: Keys, text: str | None) -> str | None:
        """The absolute path of a file that must be there; a problem and None where it is not."""
        if text is None:
            return None
        path = self.path(text)
        if self._elsewhere:
            return str(path)
        try:
            with path.open("rb"):
                return str(path)
        except OSError as error:
            self.note(keys, f"{path} cannot be read: {error.strerror or error}")
            return None

    def secret(
        self, keys: Keys, value: SecretStr | None, file: str | None
    ) -> tuple[str | None, Path | None]:
        """A secret that stands at ``keys``, or in the file that ``keys`` with ``_file`` names.

        Returns the secret and the file's path; both at once is a problem, and so is a file that
        cannot be used.
        """
        file_keys: Keys = (*keys[:-1], f"{keys[-1]}_file")
        if value is not None and file is not None:
            self.note(file_keys, f"both {keys[-1]} and {keys[-1]}_file are set; keep one of them")
            return None, None
        if value is not None:
            return value.get_secret_value(), None
        if file is None:
            return None, None
        path = self.path(file)
        if self._elsewhere:
            # One of its own, as no two secrets are alike.
            return f"unread-{keys[-1]}", path
        try:
            return read_secret(path), path
        except ValueError as error:
            self.note(file_keys, str(error))
            return None, None


def _drop(data: Any, keys: Sequence[str | int]) -> None:
    """Remove the key that holds the value at ``keys``; of a list, the whole list."""
    owner, last = None, None
    for key in keys:
        if isinstance(data, dict):
            owner, last = data, key
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            break
    if owner is not None:
        owner.pop(last, None)
