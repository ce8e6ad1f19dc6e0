"""Small documents that survive a restart, each under a name of its own: what a cluster told."""

from __future__ import annotations

import zlib
from pathlib import Path

from sqlalchemy import select

from forecaster.errors import StoreError
from forecaster.store.database import guarded, put_rows, shelf_engine, writing
from forecaster.store.schema import notes

__all__ = ["NoteShelf"]


class NoteShelf:
    """Documents in the store at ``path``, as text; whoever writes one knows how to read it.

    The file is opened for each question. Every method may raise StoreError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = shelf_engine(path)

    def load(self, name: str) -> str | None:
        """The document of this name; None where none was written."""
        query = select(notes.c.document).where(notes.c.name == name)
        with guarded(self._path, "read"), self._engine.begin() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            return None
        try:
            return zlib.decompress(found).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise StoreError(
                f"store {self._path}: the stored note {name!r} cannot be read: {error}"
            ) from error

    def save(self, name: str, document: str) -> None:
        """Put a document in the place of the one of this name."""
        row: dict[str, object] = {"name": name, "document": zlib.compress(document.encode(), 1)}
        with guarded(self._path, "written"), writing(self._engine).begin() as connection:
            put_rows(connection, notes, [row])
