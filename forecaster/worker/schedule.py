"""When to train whom, and how long to wait after a failure. Instants come in, decisions go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import TrainingRecord

__all__ = ["back_off", "due_workloads", "next_refresh", "settling_time"]

_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_FIRST_RETRY = timedelta(minutes=10)
_LONGEST_SETTLING = timedelta(seconds=15)
_LONGEST_REFRESH_WAIT = timedelta(minutes=5)


def due_workloads(
    now: datetime, fleet: Fleet, records: Mapping[str, TrainingRecord]
) -> tuple[WorkloadSettings, ...]:
    """The workloads to train at ``now``, in order: without an outlook first, the oldest next.

    A run asks the source for the whole fleet. So, when one is due in its regular turn, those go
    along whose turn comes within half a period, and the fleet falls into step. A workload that
    failed is tried again alone, after 10 minutes, 20, 40 … up to the period. Workloads that are off
    are never due.
    """
    active = fleet.active.values()
    due_at = {one.workload: _due_at(one, fleet, records.get(one.workload)) for one in active}
    due = {name for name, at in due_at.items() if at <= now}
    if any(not _failing(records.get(name)) and due_at[name] > _AT_ONCE for name in due):
        due = {name for name, at in due_at.items() if at <= now + fleet.train_every / 2}
    return tuple(
        sorted(
            (one for one in active if one.workload in due),
            key=lambda one: _order(records.get(one.workload)),
        )
    )


def back_off(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """The wait after failure 1, 2, 3 …: doubling from ``first`` to ``longest``.

    >>> back_off(3, timedelta(seconds=1), timedelta(minutes=5)).total_seconds()
    4.0
    """
    doubled: timedelta = first * 2 ** min(failures - 1, 30)
    return min(doubled, longest)


def settling_time(step: timedelta) -> timedelta:
    """How long after the end of an interval its traffic is asked for: scrapes need to arrive."""
    return min(_LONGEST_SETTLING, step / 4)


def next_refresh(now: datetime, step: timedelta, failures: int) -> datetime:
    """When to ask for the latest traffic again, after a try at ``now``.

    Shortly after each step has ended; after failures in a row at every second, fourth … step, up
    to 5 minutes apart (or a step, where that is longer).
    """
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    settled = settling_time(step)
    following = epoch + ((now - settled - epoch) // step + 1) * step + settled
    if failures < 2:
        return following
    return following - step + back_off(failures, step, max(step, _LONGEST_REFRESH_WAIT))


def _due_at(workload: WorkloadSettings, fleet: Fleet, record: TrainingRecord | None) -> datetime:
    if record is None or record.tried_at is None:
        return _AT_ONCE
    if _failing(record):
        wait = back_off(record.failed_in_a_row, _FIRST_RETRY, fleet.train_every)
        return record.tried_at + min(wait, fleet.train_every)
    trained_at = record.state.trained_at
    if trained_at is None or record.training_key != fleet.training_key(workload.rule):
        return _AT_ONCE
    return trained_at + fleet.train_every


def _failing(record: TrainingRecord | None) -> bool:
    return record is not None and record.failed_in_a_row > 0


def _order(record: TrainingRecord | None) -> tuple[bool, int, datetime]:
    if record is None:
        return False, 0, _AT_ONCE
    trained_at = record.state.trained_at
    return trained_at is not None, record.failed_in_a_row, trained_at or _AT_ONCE
