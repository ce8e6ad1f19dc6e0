"""What survives a restart: outlooks, lead-peak models, trainings, the replicas served of late."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, delete, select

from forecaster.planning.live import ToldPeak
from forecaster.planning.snapshot import TrainingState
from forecaster.planning.target import Held
from forecaster.store.database import guarded, open_database, put_rows, writing
from forecaster.store.packing import PackedOutlook
from forecaster.store.peaks import StoredPeak, told_of
from forecaster.store.schema import (
    lead_peaks,
    live_offsets,
    outlooks,
    peak_models,
    served,
    trainings,
    uplifts,
)
from forecaster.store.uplifts import StoredUplift

__all__ = ["PlanStore", "TrainingRecord"]


_NEVER_TRAINED = TrainingState()


@dataclass(frozen=True)
class TrainingRecord:
    """How training went, and what the next one needs to know.

    ``tried_at`` is when the last try ended, well or not; ``failed_in_a_row`` counts the failures
    since one ended well; ``training_key`` is what that one depended on (``Fleet.training_key``).
    """

    state: TrainingState = _NEVER_TRAINED
    tried_at: datetime | None = None
    failed_in_a_row: int = 0
    training_key: str | None = None

    def failed(self, at: datetime, reason: str) -> TrainingRecord:
        """The record after one more try, which failed."""
        state = dataclasses.replace(
            self.state,
            runs=self.state.runs + 1,
            failures=self.state.failures + 1,
            last_error=reason,
        )
        return dataclasses.replace(
            self, state=state, tried_at=at, failed_in_a_row=self.failed_in_a_row + 1
        )


class PlanStore:
    """The embedded store at ``path``. Every write is one transaction: all of it is there, or none.

    The constructor opens the file, or makes it; its errors are those of ``open_database``. Every
    method may raise StoreError. Usable as a context manager, and from one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = open_database(path)

    def save_outlook(
        self,
        outlook: PackedOutlook,
        record: TrainingRecord,
        peak: StoredPeak | None = None,
        uplift: StoredUplift | None = None,
    ) -> None:
        """Put a workload's new outlook in the place of the old one, with its training record.

        So it is with ``peak``, its lead-peak model; without one an older model stays. ``uplift`` is
        what lifts the outlook by events; without one it is never lifted.
        """
        with self._writing() as connection:
            put_rows(connection, outlooks, [dataclasses.asdict(outlook)])
            put_rows(connection, uplifts, [] if uplift is None else [dataclasses.asdict(uplift)])
            put_rows(connection, trainings, [_row(outlook.workload, record)])
            put_rows(connection, peak_models, [] if peak is None else [_peak_row(peak)])

    def save_records(
        self, records: Mapping[str, TrainingRecord], peaks: Sequence[StoredPeak] = ()
    ) -> None:
        """Note how training went, by workload, and lead-peak models; the outlooks stay."""
        with self._writing() as connection:
            put_rows(
                connection, trainings, [_row(name, record) for name, record in records.items()]
            )
            put_rows(connection, peak_models, [_peak_row(one) for one in peaks])

    def peak_teachers(self) -> dict[str, str]:
        """Whose past taught each workload's lead-peak model."""
        query = select(peak_models.c.workload, peak_models.c.taught)
        with self._reading() as connection:
            return {row.workload: row.taught for row in connection.execute(query)}

    def records(self) -> dict[str, TrainingRecord]:
        """How training went, of every workload that was ever tried."""
        with self._reading() as connection:
            rows = connection.execute(select(trainings)).all()
        return {
            row.workload: TrainingRecord(
                TrainingState(row.trained_at, row.seconds, row.runs, row.failures, row.last_error),
                row.tried_at,
                row.failed_in_a_row,
                row.training_key,
            )
            for row in rows
        }

    def outlooks(self, only: Collection[str] | None = None) -> Iterator[PackedOutlook]:
        """Every stored outlook, or those of some workloads, read one by one."""
        query = select(outlooks)
        if only is not None:
            query = query.where(outlooks.c.workload.in_(only))
        with self._reading() as connection:
            for row in connection.execute(query):
                yield PackedOutlook(**row._mapping)

    def uplifts(self, only: Collection[str] | None = None) -> Iterator[StoredUplift]:
        """What lifts the stored outlooks by events, of those that are stored without them."""
        same = (uplifts.c.workload == outlooks.c.workload) & (uplifts.c.cutoff == outlooks.c.cutoff)
        query = select(uplifts).join(outlooks, same)
        if only is not None:
            query = query.where(uplifts.c.workload.in_(only))
        with self._reading() as connection:
            for row in connection.execute(query):
                yield StoredUplift(**row._mapping)

    def lead_peaks_between(self, first: datetime, last: datetime) -> dict[str, ToldPeak]:
        """The last lead peak of each workload whose traffic ended within [first, last]."""
        query = select(lead_peaks).where(lead_peaks.c.at.between(first, last))
        with self._reading() as connection:
            return {row.workload: told_of(row) for row in connection.execute(query)}

    def save_served(self, workloads: Iterable[tuple[str, Held]], forget_before: datetime) -> None:
        """Note replicas that were needed up to an instant, and forget those of long ago."""
        rows = [
            {"workload": workload, "at": held.at, "replicas": held.replicas}
            for workload, held in workloads
        ]
        with self._writing() as connection:
            put_rows(connection, served, rows)
            connection.execute(delete(served).where(served.c.at < forget_before))

    def served_since(self, instant: datetime) -> dict[str, tuple[Held, ...]]:
        """What was served at ``instant`` or later, of each workload, oldest first."""
        query = select(served).where(served.c.at >= instant).order_by(served.c.at)
        found: dict[str, list[Held]] = {}
        with self._reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.workload, []).append(Held(row.at, row.replicas))
        return {workload: tuple(held) for workload, held in found.items()}

    def forget_others(self, workloads: Sequence[str], ended_before: datetime) -> int:
        """Remove outlooks of workloads that are not named and began before an instant.

        Returns how many were removed.
        """
        gone = outlooks.c.workload.not_in(workloads) & (outlooks.c.start < ended_before)
        with self._writing() as connection:
            removed = connection.execute(delete(outlooks).where(gone)).rowcount
            left = select(outlooks.c.workload)
            for table in (trainings, served, uplifts, peak_models, lead_peaks, live_offsets):
                others = table.c.workload.not_in(workloads) & table.c.workload.not_in(left)
                connection.execute(delete(table).where(others))
        return removed

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with guarded(self.path, "written"), writing(self._engine).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with guarded(self.path, "read"), self._engine.begin() as connection:
            yield connection


def _row(workload: str, record: TrainingRecord) -> dict[str, object]:
    return {
        "workload": workload,
        **dataclasses.asdict(record.state),
        "tried_at": record.tried_at,
        "failed_in_a_row": record.failed_in_a_row,
        "training_key": record.training_key,
    }


def _peak_row(peak: StoredPeak) -> dict[str, object]:
    return {**dataclasses.asdict(peak), "version": peak.version}
