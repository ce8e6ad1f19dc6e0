"""The lead-peak models at work: taken from the store when they change, asked at each step."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from forecaster.durations import format_duration
from forecaster.errors import ForecastError, StoreError
from forecaster.models.peak import LeadPeakModel, LivePeak
from forecaster.planning.live import NO_TRAFFIC, ToldPeak
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import Learnt, PeakShelf, StoredPeak
from forecaster.worker.calendar_watch import CalendarWatch
from forecaster.worker.live_traffic import LiveTraffic
from forecaster.worker.words import without_name

__all__ = ["LivePeaks", "Said"]

_NO_MODEL = "there is no lead-peak model yet"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """The lead peaks of some workloads; of the others, why there is none."""

    told: dict[str, ToldPeak]
    silent: dict[str, str]


@dataclass
class _AtWork:
    live: LivePeak
    why_taught: str


class LivePeaks:
    """One ``LivePeak`` for each workload that has a model; what it has learnt outlives a retrain.

    Where the store keeps it (see ``learnt``), it outlives a restart as well. ``calendar`` has the
    events near now of each workload.
    ``trouble`` is why the store could not be read the last time, or None: the models that are
    here already go on.
    """

    def __init__(self, fleet: Fleet, shelf: PeakShelf, calendar: CalendarWatch) -> None:
        self._fleet = fleet
        self._shelf = shelf
        self._calendar = calendar
        self._workloads: dict[str, WorkloadSettings] = {}
        self._at_work: dict[str, _AtWork] = {}
        self._versions: dict[str, str] = {}
        self._unusable: dict[str, str] = {}
        self.trouble: str | None = None
        self.take_fleet(fleet)

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads or rules; a model goes on at work where its quantile and window stay."""
        before, step = self._workloads, fleet.step
        self._fleet = fleet
        self._workloads = fleet.active

        def asks(one: WorkloadSettings) -> tuple[float, int]:
            return one.rule.quantile, one.rule.lead_steps(step)

        for name, one in before.items():
            after = self._workloads.get(name)
            if after is None or asks(after) != asks(one):
                for known in (self._at_work, self._versions, self._unusable):
                    known.pop(name, None)

    def look(self) -> list[str]:
        """Take the models that are new or have changed; the names of their workloads."""
        taken = []
        try:
            versions = self._shelf.versions()
            changed = [
                name
                for name, version in versions.items()
                if name in self._workloads and self._versions.get(name) != version
            ]
            learnt = self._shelf.learnt(name for name in changed if name not in self._at_work)
            for stored in self._shelf.load(changed):
                name = stored.workload
                self._take(self._workloads[name], stored, learnt.get(name))
                self._versions[name] = versions[name]
                taken.append(name)
        except StoreError as error:
            if self.trouble is None:
                _log.error("models", extra={"error": str(error)})
            self.trouble = str(error)
        else:
            self.trouble = None
        return taken

    def say(
        self, traffic: LiveTraffic, now: datetime, workloads: Iterable[str] | None = None
    ) -> Said:
        """The lead peaks by what is known at ``now``; of all workloads where none is named."""
        said = Said({}, {})
        for name in self._workloads if workloads is None else workloads:
            told = self._say_one(self._workloads[name], traffic, now)
            if isinstance(told, ToldPeak):
                said.told[name] = told
            else:
                said.silent[name] = told
        return said

    def with_events(self) -> list[str]:
        """The workloads whose lead peak may rise by the clock alone: events are near."""
        return [name for name in self._at_work if self._calendar.of(name)]

    def learnt(self, workloads: Iterable[str]) -> dict[str, Learnt]:
        """What was learnt live of some workloads by now, for the store."""
        found = {}
        for name in workloads:
            at_work = self._at_work.get(name)
            if at_work is not None:
                live, model = at_work.live, at_work.live.model
                offsets = tuple(live.offsets.tolist())
                found[name] = Learnt(model.step, model.lead_steps, live.levels, offsets)
        return found

    def _say_one(
        self, workload: WorkloadSettings, traffic: LiveTraffic, now: datetime
    ) -> ToldPeak | str:
        name, rule = workload.workload, workload.rule
        at_work, recent = self._at_work.get(name), traffic.recent(name)
        if at_work is None:
            return self._unusable.get(name, _NO_MODEL)
        if recent is None:
            return NO_TRAFFIC
        try:
            peak = at_work.live.decide(recent, self._calendar.of(name), now)
            if peak is None:
                return NO_TRAFFIC
            return ToldPeak(
                at=peak.at,
                step=recent.step,
                lead_steps=at_work.live.model.lead_steps,
                now_rps=peak.now_rps,
                quantile=rule.quantile,
                peak_rps=peak.quantile(rule.quantile),
                taught=peak.taught,
                why_taught=at_work.why_taught,
                onset="" if peak.onset is None else peak.onset.words(rule.quantile),
            )
        except Exception as error:  # whatever a model does, the others go on
            _log.error("no lead peak", extra={"workload": name}, exc_info=error)
            return f"the lead-peak model broke ({type(error).__name__}: {error})"

    def _take(self, workload: WorkloadSettings, stored: StoredPeak, learnt: Learnt | None) -> None:
        name, rule, step = workload.workload, workload.rule, self._fleet.step
        try:
            model = LeadPeakModel.from_bytes(stored.model)
            if (model.step, model.lead_steps) != (step, rule.lead_steps(step)):
                window = format_duration((model.lead_steps + 1) * model.step)
                raise ForecastError(
                    f"the stored lead-peak model is for another lead time or step (a window of "
                    f"{window} by {format_duration(model.step)})"
                )
        except ForecastError as error:
            self._unusable[name] = without_name(str(error), name)
            self._at_work.pop(name, None)
            _log.warning("model unusable", extra={"workload": name, "error": str(error)})
            return
        self._unusable.pop(name, None)
        at_work = self._at_work.get(name)
        if at_work is None:
            live = LivePeak(model, (rule.quantile,))
            if learnt is not None and learnt.fits(model.step, model.lead_steps):
                live.resume(learnt.levels, learnt.offsets)
        else:
            live = at_work.live
            live.take_model(model)
        self._at_work[name] = _AtWork(live, stored.why_taught)
