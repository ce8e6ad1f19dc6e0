"""Lead-peak models in the store, and a reader that takes only what has changed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from forecaster.store.database import guarded
from forecaster.store.schema import peak_models

__all__ = ["PeakShelf", "StoredPeak"]

_AT_ONCE = 500  # names in one question: SQLite takes a limited number of values


@dataclass(frozen=True)
class StoredPeak:
    """A workload's lead-peak model as bytes (``LeadPeakModel.to_bytes``).

    ``taught`` is whose past taught it (a ``Taught`` as text), ``why_taught`` why it is not the
    workload's own.
    """

    workload: str
    cutoff: datetime
    taught: str
    why_taught: str
    model: bytes

    @property
    def version(self) -> str:
        """Another one for other contents."""
        said = f"{self.taught} {self.why_taught}".encode()
        return hashlib.blake2b(said + self.model, digest_size=12).hexdigest()


class PeakShelf:
    """Reads the lead-peak models of the store at ``path``, and writes nothing.

    The file is opened for each question: one that was moved aside, replaced or removed is seen at
    once. Every method may raise StoreError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)

    def versions(self) -> dict[str, str]:
        """The version of the model of each workload that has one."""
        query = select(peak_models.c.workload, peak_models.c.version)
        with guarded(self._path, "read"), self._engine.begin() as connection:
            return {row.workload: row.version for row in connection.execute(query)}

    def load(self, workloads: Iterable[str]) -> Iterator[StoredPeak]:
        """The models of these workloads, one by one; of those that have none, nothing."""
        names = list(workloads)
        wanted = peak_models.c
        columns = (
            wanted.workload,
            wanted.cutoff,
            wanted.taught,
            wanted.why_taught,
            wanted.model,
        )
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            query = select(*columns).where(wanted.workload.in_(some))
            with guarded(self._path, "read"), self._engine.begin() as connection:
                for row in connection.execute(query):
                    yield StoredPeak(**row._mapping)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)
