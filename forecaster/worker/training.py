"""train(now): past traffic to outlooks and lead-peak models, each kept once it is made."""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecaster.errors import (
    ForecastError,
    HistoryTooShort,
    PrerollError,
    SourceAnswerError,
    StoreError,
    TrafficError,
)
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.event_training import TrainedWithEvents, train_with_events
from forecaster.models.peak import Taught
from forecaster.models.selection import OutlookConfig
from forecaster.planning.plan import build_plan
from forecaster.planning.snapshot import TrainingState
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import (
    PackedOutlook,
    PlanStore,
    StoredPeak,
    StoredUplift,
    TrainingRecord,
    pack,
)
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.worker.messages import Message, SourceFailed, Started, Trained, TrainingFailed
from forecaster.worker.peak_training import PeakTraining
from forecaster.worker.schedule import settling_time
from forecaster.worker.source import Fetch
from forecaster.worker.words import without_name

__all__ = ["Trainer", "train"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trainer:
    """What a training works with: the fleet, the seam to the source, the store and the clock.

    ``store`` is None where it cannot be opened: outlooks are told all the same. ``records`` are how
    earlier trainings went; ``tell`` gets a message for every step forward. ``calendar`` is what was
    known ahead of the past, and what is known of the future.
    """

    fleet: Fleet
    fetch: Fetch
    store: PlanStore | None
    clock: Callable[[], datetime]
    records: Mapping[str, TrainingRecord]
    tell: Callable[[Message], None]
    calendar: Calendar = EMPTY_CALENDAR

    def events_of(self, workload: WorkloadSettings) -> Calendar:
        """The events that concern a workload, past ones and those ahead."""
        return self.calendar.selecting(workload.namespace, workload.name, workload.labels)


def train(trainer: Trainer, workloads: Sequence[WorkloadSettings]) -> None:
    """Train ``workloads`` on the traffic known by now; store what comes of each.

    It goes in their order, but that those who borrow a lead-peak model wait for the day-ahead paths
    that teach it (``PeakTraining.lenders_first``).

    An interval is known once its scrapes have had the time to arrive (``settling_time``): one that
    is half there would pull the level down. The outlook begins at the present all the same.

    A workload that cannot be trained keeps its old outlook, gets a reason, and does not stop the
    others; where its past is too short for an outlook, it gets a lead-peak model that others have
    taught. A source that gives nothing stops them all: one SourceFailed is told. A store that
    cannot be written stops nothing: outlooks are told anyway, and lead-peak models stay away.
    """
    fleet, now = trainer.fleet, trainer.clock()
    try:
        settled = now - settling_time(fleet.step)
        fetched = trainer.fetch(now - fleet.history, settled, fleet.step)
    except TrafficError as error:
        _log.warning("no traffic to train on", extra={"error": str(error)})
        trainer.tell(SourceFailed(now, str(error)))
        return
    for warning in fetched.warnings:
        _log.warning("traffic source", extra={"warning": warning})
    for notice in fetched.left_out:
        _log.info("traffic source", extra={"notice": notice})
    if fetched.history is None and not fetched.refused and not fetched.others:
        said = "; ".join(
            ("the source has no traffic of the past for any workload", *fetched.warnings)
        )
        trainer.tell(SourceFailed(now, said))
        return
    run = _Run(fetched, now, PeakTraining(fleet, fetched.history or (), now))
    for workload in run.peaks.lenders_first(workloads, fetched.refused):
        trainer.tell(Started(workload.workload))
        trainer.tell(_train_one(trainer, workload, run))


@dataclass(frozen=True)
class _Run:
    """One training of several workloads: the traffic that is known, when, and the lead peaks."""

    fetched: FetchedTraffic
    now: datetime
    peaks: PeakTraining


def _train_one(trainer: Trainer, workload: WorkloadSettings, run: _Run) -> Message:
    name, rule = workload.workload, workload.rule
    before = trainer.records.get(name, TrainingRecord())
    started = time.perf_counter()
    events = trainer.events_of(workload)
    try:
        trained = _trained(trainer.fleet, workload, run, events)
        outlook, uplift = _packed(trained, workload, run.now)
    except HistoryTooShort as error:
        return _failed(trainer, workload, before, error, _borrowed(trainer, workload, run))
    except Exception as error:  # whatever a model does, the others go on
        return _failed(trainer, workload, before, error)
    peak = run.peaks.train(workload, trained)
    seconds = time.perf_counter() - started
    at = trainer.clock()
    state = before.state
    record = TrainingRecord(
        TrainingState(at, seconds, state.runs + 1, state.failures),
        tried_at=at,
        training_key=trainer.fleet.training_key(rule),
    )
    store_error = _stored(
        trainer.store, lambda store: store.save_outlook(outlook, record, peak, uplift)
    )
    _log.info(
        "trained",
        extra={
            "workload": name,
            "model": outlook.model,
            "seconds": round(seconds, 3),
            "cutoff": outlook.cutoff,
            "bytes": len(outlook.rates) + len(uplift.model) + len(peak.model),
            "lead_peak": peak.taught,
            "events": len(events.events),
        },
    )
    return Trained(outlook, uplift, record, store_error, Taught(peak.taught))


def _borrowed(trainer: Trainer, workload: WorkloadSettings, run: _Run) -> StoredPeak | None:
    """A lead-peak model from others; None where an older one of its own is there."""
    try:
        kept = {} if trainer.store is None else trainer.store.peak_teachers()
    except StoreError:
        kept = {}
    if kept.get(workload.workload) == Taught.OWN:
        return None
    return run.peaks.borrow(workload)


def _trained(
    fleet: Fleet, workload: WorkloadSettings, run: _Run, events: Calendar
) -> TrainedWithEvents:
    name, rule, history = workload.workload, workload.rule, run.fetched.history
    if name in run.fetched.refused:
        raise SourceAnswerError(run.fetched.refused[name])
    if history is None or name not in history.ids:
        raise HistoryTooShort(_unknown_to_source(name, run.fetched))
    config = OutlookConfig(
        quantiles=fleet.quantiles(rule), horizon=fleet.horizon(rule), timezone=fleet.timezone
    )
    return train_with_events(history[name], run.now, config, events)


def _packed(
    trained: TrainedWithEvents, workload: WorkloadSettings, now: datetime
) -> tuple[PackedOutlook, StoredUplift]:
    """The outlook without events, and what lifts it.

    Whoever serves lifts it, by the calendar of that moment. It is planned by here as well: what
    cannot be served is a failure of the training.
    """
    packed = pack(trained.outlook)
    uplift = StoredUplift.of(packed.workload, packed.cutoff, trained.uplift)
    lifted = outlook_with_events(packed.unpack(), uplift.unpack(), trained.calendar)
    plan = build_plan(lifted, workload.rule)
    if not plan.covers(now):
        raise ForecastError(f"the outlook covers {plan.start} to {plan.end}, not the present {now}")
    return packed, uplift


def _unknown_to_source(name: str, fetched: FetchedTraffic) -> str:
    known = () if fetched.history is None else fetched.history.ids
    names = [*fetched.others, *known, *fetched.refused]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else f", such as {names[0]}"
    return f"the source has no traffic of this name among its {len(names)} series{hint}"


def _failed(
    trainer: Trainer,
    workload: WorkloadSettings,
    before: TrainingRecord,
    error: Exception,
    peak: StoredPeak | None = None,
) -> TrainingFailed:
    name = workload.workload
    if isinstance(error, PrerollError):
        reason = without_name(str(error), name)
        extra = {"workload": name, "error": reason}
        _log.warning("not trained", extra=extra | ({"lead_peak": peak.taught} if peak else {}))
    else:
        reason = f"the training broke ({type(error).__name__}: {error})"
        _log.error("not trained", extra={"workload": name}, exc_info=error)
    record = before.failed(trainer.clock(), reason)
    peaks = () if peak is None else (peak,)
    store_error = _stored(trainer.store, lambda store: store.save_records({name: record}, peaks))
    return TrainingFailed(name, record, store_error, Taught(peak.taught) if peak else None)


def _stored(store: PlanStore | None, write: Callable[[PlanStore], None]) -> str | None:
    if store is None:
        return "the store could not be opened"
    try:
        write(store)
    except StoreError as error:
        _log.error("not stored", extra={"error": str(error)})
        return str(error)
    return None
