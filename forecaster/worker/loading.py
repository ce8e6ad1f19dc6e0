"""What the store knows, as a board: plans are served before anything is trained."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from forecaster.errors import ForecastError, StoreError
from forecaster.settings import Fleet
from forecaster.store import DamagedStore, PlanStore, set_aside
from forecaster.worker.board import Board
from forecaster.worker.messages import Foretold
from forecaster.worker.served import ServedTargets

__all__ = ["load_board", "open_store", "take_fleet"]

_KEEP_FORMER_WORKLOADS = timedelta(days=30)  # a workload may come back to the settings

_log = logging.getLogger(__name__)


def open_store(path: Path, now: datetime) -> PlanStore:
    """The store at ``path``; a damaged one is moved aside, with a line in the log.

    Raises StoreError where it cannot be opened for another reason.
    """
    try:
        return PlanStore(path)
    except DamagedStore as error:
        aside = set_aside(path, now)
        _log.error("store damaged", extra={"error": str(error), "moved_to": str(aside)})
        return PlanStore(path)


def load_board(fleet: Fleet, store: PlanStore, now: datetime) -> tuple[Board, ServedTargets]:
    """The fleet's stored plans, under its present rules, and what was told and served of late.

    An outlook that cannot be read, or does not reach the rule's quantile, is passed over with a
    line in the log: its workload is due for training at once. So it is with one whose uplift by
    events cannot be read, which is planned for as if no event had taught anything. Raises
    StoreError.
    """
    served = ServedTargets(store.served_since(now - fleet.longest_hold_down))
    board = Board(fleet, store.records(), served.held)
    _take_stored(board, served, store, now)
    planned = {plan.outlook.series_id for plan in board.plans}
    for name, record in board.records.items():
        if name not in planned or name in board.untaught:
            board.records[name] = dataclasses.replace(record, training_key=None)
    names = [one.workload for one in fleet.workloads]
    forgotten = store.forget_others(names, now - _KEEP_FORMER_WORKLOADS)
    counts = {"plans": len(planned), "workloads": len(names), "forgotten": forgotten}
    _log.info("plans loaded", extra=counts)
    return board, served


def take_fleet(
    fleet: Fleet, board: Board, served: ServedTargets, store: PlanStore, now: datetime
) -> None:
    """Other workloads or rules, from now on: what the store knows of those that came is loaded.

    Where it knows nothing, or a rule asks for more than what was trained, the training is due.
    Raises StoreError; the board plans for the fleet all the same.
    """
    without = set(board.take_fleet(fleet))
    if not without:
        return
    for name, record in store.records().items():
        if name in without:
            board.records[name] = record
    _take_stored(board, served, store, now, without)
    for plan in board.plans:
        without.discard(plan.outlook.series_id)
    for name in without:
        if name in board.records:
            board.records[name] = dataclasses.replace(board.records[name], training_key=None)


def _take_stored(
    board: Board,
    served: ServedTargets,
    store: PlanStore,
    now: datetime,
    only: Collection[str] | None = None,
) -> None:
    uplifts = {one.workload: one for one in store.uplifts(only)}
    for packed in store.outlooks(only):
        name = packed.workload
        if not board.plans_for(name):
            continue
        try:
            board.take_outlook(packed.unpack(), served.held(name), uplifts.get(name))
        except (StoreError, ForecastError) as error:
            _log.warning("stored outlook unusable", extra={"workload": name, "error": str(error)})
    told = store.lead_peaks_between(now - board.fleet.live_age, now)
    told = {name: one for name, one in told.items() if only is None or name in only}
    board.take_foretold(Foretold(told))
