"""Small documents that survive a restart, each under a name of its own: what a cluster told."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import bindparam, delete, select

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
        text = _text(found)
        if text is None:
            raise StoreError(f"store {self._path}: the stored note {name!r} cannot be read")
        return text

    def load_below(self, prefix: str) -> dict[str, str | None]:
        """The documents whose names begin so, by the rest of their names; None: damaged."""
        query = select(notes).where(notes.c.name.startswith(prefix, autoescape=True))
        with guarded(self._path, "read"), self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {
            row.name.removeprefix(prefix): _text(row.document)
            for row in rows
            if row.name.startswith(prefix)  # to the database a letter is the same in capitals
        }

    def save(self, name: str, document: str) -> None:
        """Put a document in the place of the one of this name."""
        self.save_all({name: document})

    def save_all(self, documents: Mapping[str, str | None]) -> None:
        """Put documents, by name, in the place of those that are there; None takes one away.

        All of them or none.
        """
        rows: list[dict[str, object]] = [
            {"name": name, "document": zlib.compress(document.encode(), 1)}
            for name, document in documents.items()
            if document is not None
        ]
        gone = [{"gone": name} for name, document in documents.items() if document is None]
        if not documents:
            return
        with guarded(self._path, "written"), writing(self._engine).begin() as connection:
            put_rows(connection, notes, rows)
            if gone:
                connection.execute(delete(notes).where(notes.c.name == bindparam("gone")), gone)


def _text(document: bytes) -> str | None:
    with contextlib.suppress(zlib.error, UnicodeDecodeError):
        return zlib.decompress(document).decode()
    return None
