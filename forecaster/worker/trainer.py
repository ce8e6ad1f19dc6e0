"""The trainer: a process for one run, so that memory goes back to the system when it is done."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from forecaster.errors import StoreError
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.store import CalendarShelf, PlanStore
from forecaster.worker.messages import RunEnded
from forecaster.worker.orders import TrainingOrder
from forecaster.worker.process import Tell
from forecaster.worker.training import Trainer, train

__all__ = ["run_training"]

_log = logging.getLogger(__name__)


def run_training(tell: Tell, order: TrainingOrder) -> None:
    """Carry out one order and end. Without a store it trains all the same, and says so."""
    with ExitStack() as stack:
        store: PlanStore | None = None
        try:
            store = stack.enter_context(PlanStore(order.store_path))
        except StoreError as error:
            _log.error("store", extra={"error": str(error)})
        trainer = Trainer(
            order.fleet,
            order.source(),
            store,
            order.clock,
            order.records,
            tell,
            _calendar(order.store_path),
        )
        train(trainer, order.workloads)
    tell(RunEnded())


def _calendar(path: Path) -> Calendar:
    """What the service keeps for us; without it, trained as if nothing had been known ahead."""
    try:
        _, calendar = CalendarShelf(path).load()
    except StoreError as error:
        _log.error("calendar unreadable", extra={"error": str(error)})
        return EMPTY_CALENDAR
    return calendar
