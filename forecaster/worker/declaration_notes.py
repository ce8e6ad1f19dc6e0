"""What ScaledObjects declared when they were fine last, kept in the store for a restart."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydantic import TypeAdapter

from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.errors import StoreError
from forecaster.store import NoteShelf

__all__ = ["DeclarationNotes"]

_NOTES = "declarations/"
_STORED = TypeAdapter(ScaledObjectSeen)

_log = logging.getLogger(__name__)


class DeclarationNotes:
    """A note for each object. What cannot be written waits for the next ``save``."""

    def __init__(self, shelf: NoteShelf) -> None:
        self._shelf = shelf
        self._waiting: dict[str, str | None] = {}
        self._failing = False

    def load(self) -> tuple[ScaledObjectSeen, ...]:
        """All that are kept; what cannot be read is logged and left out."""
        found, unreadable = [], []
        try:
            for name, document in self._shelf.load_below(_NOTES).items():
                try:
                    found.append(_STORED.validate_json(document or ""))
                except ValueError as error:
                    unreadable.append(f"{name}: {error}")
        except StoreError as error:
            unreadable.append(str(error))
        if unreadable:
            counts = {"error": unreadable[0], "unreadable": len(unreadable)}
            _log.warning("declarations unreadable", extra=counts)
        return tuple(found)

    def save(self, changed: Mapping[tuple[str, str], ScaledObjectSeen | None]) -> None:
        """Write what has changed, by namespace and name; None is let go."""
        for (namespace, name), one in changed.items():
            document = None if one is None else _STORED.dump_json(one).decode()
            self._waiting[f"{_NOTES}{namespace}/{name}"] = document
        if not self._waiting:
            return
        try:
            self._shelf.save_all(self._waiting)
        except StoreError as error:
            if not self._failing:  # it is tried again each second
                _log.warning("declarations not stored", extra={"error": str(error)})
            self._failing = True
        else:
            self._waiting, self._failing = {}, False
