"""refresh(now): the latest traffic of the whole fleet by one question, and its lead peaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecaster.errors import TrafficError
from forecaster.planning.snapshot import ObservedTraffic
from forecaster.settings import Fleet
from forecaster.store import CalendarShelf, PeakShelf
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.calendar_watch import CalendarWatch
from forecaster.worker.live_peaks import LivePeaks
from forecaster.worker.live_traffic import LiveTraffic
from forecaster.worker.messages import Foretold, Refreshed, RefreshFailed
from forecaster.worker.source import Fetch
from forecaster.worker.words import without_name

__all__ = ["Watch", "foretell_changed", "refresh"]


@dataclass
class Watch:
    """What is kept between refreshes: traffic of the last hours, models, the calendar.

    ``said_at`` is when all workloads were last said, ``failing`` whether the source has failed
    since.
    """

    fleet: Fleet
    traffic: LiveTraffic
    peaks: LivePeaks
    calendar: CalendarWatch
    said_at: datetime | None = None
    failing: bool = False

    @classmethod
    def of(cls, fleet: Fleet, shelf: PeakShelf) -> Watch:
        """Nothing is known yet; models and the calendar are in the store of ``shelf``."""
        calendar = CalendarWatch(fleet, CalendarShelf(shelf.path))
        return cls(fleet, LiveTraffic(fleet), LivePeaks(fleet, shelf, calendar), calendar)

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads or rules; what is known of those that stay, stays."""
        self.fleet = fleet
        self.traffic.take_fleet(fleet)
        self.calendar.take_fleet(fleet)
        self.peaks.take_fleet(fleet)


def refresh(now: datetime, watch: Watch, fetch: Fetch) -> Refreshed | RefreshFailed:
    """The newest observed interval of each workload that has one, and the lead peaks from there.

    An interval that comes late is taken when it comes; what is missing at the end leaves the lead
    peak at the last interval that was observed, for whoever reads it to judge its age. Events are
    as near as ``now`` says.
    """
    fleet = watch.fleet
    if not fleet.workloads:  # none is declared yet
        return Refreshed(now, {})
    start, end = watch.traffic.question(now)
    try:
        fetched = fetch(start, end, fleet.step)
    except TrafficError as error:
        watch.failing = True
        return RefreshFailed(now, str(error))
    wanted = {one.workload for one in fleet.workloads}
    known = [one for one in fetched.history or () if one.series_id in wanted]
    watch.traffic.take(now, known)
    observed = {}
    for series in known:
        latest = _latest(series)
        if latest is not None:
            observed[series.series_id] = latest
    refused = {
        name: without_name(reason, name)
        for name, reason in fetched.refused.items()
        if name in wanted
    }
    watch.calendar.look(now)
    watch.peaks.look()
    said = watch.peaks.say(watch.traffic, now)
    watch.said_at, watch.failing = now, False
    foretold = Foretold(said.told, said.silent, watch.peaks.trouble)
    return Refreshed(now, observed, fetched.warnings, refused, foretold)


def foretell_changed(watch: Watch, now: datetime) -> Foretold | None:
    """The lead peaks of workloads whose model or events have changed since; None where none's.

    While the source fails events come nearer all the same: once a step theirs are told as well.
    """
    before = watch.peaks.trouble
    changed = {*watch.peaks.look(), *watch.calendar.look()}
    if watch.failing and watch.said_at is not None and now - watch.said_at >= watch.fleet.step:
        watch.said_at = now
        changed.update(watch.peaks.with_events())
    if not changed and watch.peaks.trouble == before:
        return None
    said = watch.peaks.say(watch.traffic, now, sorted(changed))
    return Foretold(said.told, said.silent, watch.peaks.trouble)


def _latest(series: TrafficSeries) -> ObservedTraffic | None:
    known = np.flatnonzero(~np.isnan(series.rate_rps))
    if not len(known):
        return None
    last = int(known[-1])
    return ObservedTraffic(series.start + last * series.step, float(series.rate_rps[last]))
