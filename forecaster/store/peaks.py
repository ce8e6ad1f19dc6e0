"""What the refresher has of the store: lead-peak models, and a place for what they said last."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row, create_engine, select
from sqlalchemy.pool import NullPool

from forecaster.models.peak import Taught
from forecaster.planning.live import ToldPeak
from forecaster.store.database import guarded, put_rows
from forecaster.store.schema import lead_peaks, live_offsets, peak_models

__all__ = ["Learnt", "PeakShelf", "StoredPeak", "told_of"]

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


@dataclass(frozen=True)
class Learnt:
    """What ``LivePeak`` has learnt live of a workload: ``offsets`` at ``levels``, for a window."""

    step: timedelta
    lead_steps: int
    levels: tuple[float, ...]
    offsets: tuple[float, ...]

    def fits(self, step: timedelta, lead_steps: int) -> bool:
        """Whether it was learnt of this lead window."""
        return (self.step, self.lead_steps) == (step, lead_steps)


class PeakShelf:
    """Reads the lead-peak models of the store at ``path``, and keeps the last lead peaks there.

    The file is opened for each question: one that was moved aside, replaced or removed is seen at
    once, and none is made. Every method may raise StoreError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)

    def versions(self) -> dict[str, str]:
        """The version of the model of each workload that has one."""
        query = select(peak_models.c.workload, peak_models.c.version)
        with guarded(self.path, "read"), self._engine.begin() as connection:
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
            with guarded(self.path, "read"), self._engine.begin() as connection:
                for row in connection.execute(query):
                    yield StoredPeak(**row._mapping)

    def learnt(self, workloads: Iterable[str]) -> dict[str, Learnt]:
        """What was learnt live of these workloads before a restart, where something was."""
        names, found = list(workloads), {}
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            query = select(live_offsets).where(live_offsets.c.workload.in_(some))
            with guarded(self.path, "read"), self._engine.begin() as connection:
                for row in connection.execute(query):
                    learnt = _learnt_of(row)
                    if learnt is not None:
                        found[row.workload] = learnt
        return found

    def keep(self, told: Mapping[str, ToldPeak], learnt: Mapping[str, Learnt] = {}) -> None:
        """Put lead peaks, and what was learnt, in the place of earlier ones, for a restart."""
        rows = [_told_row(name, one) for name, one in told.items()]
        with guarded(self.path, "written"), self._engine.begin() as connection:
            put_rows(connection, lead_peaks, rows)
            put_rows(
                connection, live_offsets, [_learnt_row(name, one) for name, one in learnt.items()]
            )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(self.path))}?mode=rw", uri=True)


def told_of(row: Row[Any]) -> ToldPeak:
    """The lead peak in a row of the table."""
    values = dict(row._mapping)
    del values["workload"]
    values["step"] = timedelta(seconds=values.pop("step_seconds"))
    values["taught"] = Taught(values["taught"])
    return ToldPeak(**values)


def _told_row(workload: str, told: ToldPeak) -> dict[str, object]:
    values = {one.name: getattr(told, one.name) for one in fields(told)}
    values["step_seconds"] = values.pop("step").total_seconds()
    values["taught"] = told.taught.value
    return {"workload": workload, **values}


def _learnt_of(row: Row[Any]) -> Learnt | None:
    """None for a row that cannot be read: it is learnt anew."""
    try:
        levels = tuple(float(one) for one in json.loads(row.levels))
        offsets = tuple(float(one) for one in json.loads(row.offsets))
    except (TypeError, ValueError):
        return None
    if len(levels) != len(offsets):
        return None
    return Learnt(timedelta(seconds=row.step_seconds), row.lead_steps, levels, offsets)


def _learnt_row(workload: str, learnt: Learnt) -> dict[str, object]:
    return {
        "workload": workload,
        "step_seconds": learnt.step.total_seconds(),
        "lead_steps": learnt.lead_steps,
        "levels": json.dumps(learnt.levels),
        "offsets": json.dumps(learnt.offsets),
    }
