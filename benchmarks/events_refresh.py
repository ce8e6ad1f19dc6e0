"""What a refresh costs a fleet that has events near, each workload with a model that knows them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from forecaster.backtest.cliffs import Cliff, with_cliffs
from forecaster.events import Calendar, Event
from forecaster.models.event_track import look_ahead
from forecaster.models.event_training import train_with_events
from forecaster.models.peak import LeadPeakModel, train_lead_peak
from forecaster.models.peak.features import ahead_steps
from forecaster.settings import Fleet
from forecaster.store import CalendarShelf, PeakShelf, PlanStore, StoredPeak, encoded_event
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.traffic.sample import sample_history
from forecaster.worker.messages import Refreshed
from forecaster.worker.refreshing import Watch, refresh

__all__ = ["RefreshCost", "measure_refresh"]

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ROUNDS = 5
_PAST = timedelta(days=28)
_RECENT = timedelta(hours=5)


@dataclass(frozen=True)
class RefreshCost:
    """CPU seconds of one refresh, at the median, and of one that must look at every calendar anew,
    as after a change that concerns all. ``events`` are those that a decision looks at,
    (workloads,), ``by_onset`` how many lead peaks the onset of an event told, in all rounds."""

    seconds: float
    anew_seconds: float
    events: np.ndarray
    by_onset: int
    rounds: int


def measure_refresh(fleet: Fleet, year: Calendar, now: datetime) -> RefreshCost:
    """Minute after minute, the question to the source and the first look at the store excluded.

    Every workload has the model of one whose events came as cliffs; the calendar of each is its
    own.
    """
    series = _traffic(year, now, fleet)
    model = _model(series, year, fleet)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preroll.sqlite"
        with PlanStore(path) as store:
            stored = model.to_bytes()
            store.save_records(
                {},
                [
                    StoredPeak(one.workload, model.cutoff, model.taught.value, "", stored)
                    for one in fleet.workloads
                ],
            )
        near = year.within(now - _PAST, now + 2 * DAY)
        CalendarShelf(path).save([encoded_event(one) for one in near.events], year.overlap)
        watch = Watch.of(fleet, PeakShelf(path))
        took, by_onset = [], 0
        for number in range(ROUNDS + 2):
            if number > ROUNDS:
                watch.calendar.take_fleet(fleet)
            at = now + number * MINUTE
            known = _history(fleet, series, at)
            began = time.process_time()
            said = refresh(at, watch, lambda *_, found=known: FetchedTraffic(found, ()))
            took.append(time.process_time() - began)
            if not isinstance(said, Refreshed) or len(said.foretold.lead_peaks) != len(
                fleet.workloads
            ):
                raise AssertionError("not every workload has a lead peak")
            by_onset += sum(bool(one.onset) for one in said.foretold.lead_peaks.values())
        events = np.array(list(_events(watch, fleet, model, now)))
    return RefreshCost(median(took[1:-1]), took[-1], events, by_onset, ROUNDS + 2)


def _traffic(year: Calendar, now: datetime, fleet: Fleet) -> TrafficSeries:
    """The bundled trace as if it went on until shortly after ``now``, with a cliff an event."""
    trace = next(iter(sample_history()))
    end = now + (ROUNDS + 2) * MINUTE
    steps = (_PAST + end - now) // MINUTE
    first = fleet.workloads[0]
    quiet = TrafficSeries(first.workload, end - steps * MINUTE, MINUTE, trace.rate_rps[-steps:])
    mine = year.selecting(first.namespace, first.name, first.labels)
    return with_cliffs(quiet, [_cliff(one) for one in mine.between(quiet.start, quiet.end)])


def _cliff(event: Event) -> Cliff:
    factor = event.uplift or 2.0 + event.importance / 5
    part = event.duration / 10
    return Cliff(event.start, factor, event.duration, dip_start=4 * part, dip_end=6 * part)


def _model(series: TrafficSeries, year: Calendar, fleet: Fleet) -> LeadPeakModel:
    first, cutoff = fleet.workloads[0], series.end - (ROUNDS + 2) * MINUTE
    known = series.before(cutoff)
    mine = year.selecting(first.namespace, first.name, first.labels)
    if known is None:
        raise AssertionError("no past")
    trained = train_with_events(known, cutoff, calendar=mine)
    steps = first.rule.lead_steps(fleet.step)
    model = train_lead_peak(known, cutoff, trained.path, steps, track=trained.track)
    if not model.knows_events:
        raise AssertionError("the model does not look at events")
    return model


def _history(fleet: Fleet, series: TrafficSeries, now: datetime) -> TrafficHistory:
    seen = series.before(now)
    recent = None if seen is None else seen.since(now - _RECENT)
    if recent is None:
        raise AssertionError("no recent traffic")
    return TrafficHistory(
        [
            TrafficSeries(one.workload, recent.start, recent.step, recent.rate_rps)
            for one in fleet.workloads
        ]
    )


def _events(watch: Watch, fleet: Fleet, model: LeadPeakModel, now: datetime) -> Iterator[int]:
    """How many events the decision of each workload looks at."""
    steps = _RECENT // MINUTE + ahead_steps(MINUTE, model.lead_steps)
    if model.uplift is None:
        raise AssertionError("the model was taught nothing")
    for one in fleet.workloads:
        calendar = watch.calendar.of(one.workload)
        ahead = look_ahead(model.uplift, calendar, model.cutoff, now - _RECENT, MINUTE, steps)
        yield len(ahead.track.events)
