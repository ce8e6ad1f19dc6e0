"""The lead-peak model of each workload: its own, or one that is borrowed until it has a past."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta

from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort, PrerollError
from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_training import TrainedWithEvents
from forecaster.models.peak import DEFAULT_LEVELS, LeadPeakModel, PeakConfig, train_lead_peak
from forecaster.models.peak.fleet import train_fleet
from forecaster.models.peak.starter import load_starter
from forecaster.models.peak.training import LEAST_ROWS, usable_rows
from forecaster.planning.capacity import ScalingRule
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import StoredPeak
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.words import without_name

__all__ = ["PeakTraining"]

_TEACHES = timedelta(days=1)  # who has less of a past has nothing to teach
_MOST_PATHS = 100  # a path of four weeks at a minute is 160 kB

_log = logging.getLogger(__name__)


class PeakTraining:
    """The lead-peak models of one run of the trainer, at ``now``; ``known`` is the run's traffic.

    A workload that cannot have a model of its own gets one that the fleet has taught, made when
    the first one needs it and once for each lead window; where the fleet has too little past as
    well, the starter model of the wheel.
    """

    def __init__(self, fleet: Fleet, known: Iterable[TrafficSeries], now: datetime) -> None:
        self._fleet = fleet
        self._now = now
        active = fleet.active
        self._known = {one.series_id: one for one in known if one.series_id in active}
        self._paths: dict[str, DayAheadPath] = {}
        self._borrowed: dict[int, LeadPeakModel] = {}

    def lenders_first(
        self, workloads: Sequence[WorkloadSettings], refused: Container[str]
    ) -> list[WorkloadSettings]:
        """The same workloads, those that will borrow behind those whose paths teach the fleet.

        No more paths are kept than so many, so nobody waits for more. Whose traffic is ``refused``
        borrows nothing. Otherwise the order stays.
        """
        borrow = {
            one.workload
            for one in workloads
            if one.workload not in refused and not self._has_enough(one)
        }
        lenders = [one for one in workloads if one.workload not in borrow]
        borrowers = [one for one in workloads if one.workload in borrow]
        return [*lenders[:_MOST_PATHS], *borrowers, *lenders[_MOST_PATHS:]]

    def _has_enough(self, workload: WorkloadSettings) -> bool:
        """Whether a workload's past is long enough for an outlook and a model of its own."""
        series = self._known.get(workload.workload)
        known = None if series is None else series.before(self._now)
        if known is None or _observed(known) < _TEACHES:
            return False
        steps = workload.rule.lead_steps(self._fleet.step)
        for days in (2, PeakConfig().days):  # two tell it of nearly all, in a fraction of the time
            recent = known.since(self._now - timedelta(days=days))
            if recent is not None and len(usable_rows(recent, steps)) >= LEAST_ROWS:
                return True
        return False

    def train(self, workload: WorkloadSettings, trained: TrainedWithEvents) -> StoredPeak:
        """The workload's own model, beside its outlook; else a borrowed one."""
        name, rule = workload.workload, workload.rule
        if len(self._paths) < _MOST_PATHS:
            self._paths[name] = trained.path_then
        try:
            steps = rule.lead_steps(self._fleet.step)
            model = train_lead_peak(
                self._known[name], self._now, trained.path, steps, _config(rule), trained.track
            )
        except HistoryTooShort:
            return self.borrow(workload, trained, self._own_history(name))
        except PrerollError as error:
            _log.warning("no model of its own", extra={"workload": name, "error": str(error)})
            return self.borrow(workload, trained, without_name(str(error), name))
        except Exception as error:  # whatever the training does, there is an outlook to serve
            _log.error("no model of its own", extra={"workload": name}, exc_info=error)
            return self.borrow(workload, trained, f"the training broke ({type(error).__name__})")
        return _stored(workload, model, "")

    def borrow(
        self,
        workload: WorkloadSettings,
        trained: TrainedWithEvents | None = None,
        why: str | None = None,
    ) -> StoredPeak:
        """The fleet's model or the starter for a workload; ``why`` it has none of its own."""
        steps = workload.rule.lead_steps(self._fleet.step)
        if steps not in self._borrowed:
            self._borrowed[steps] = self._make_borrowed(steps)
        path = None if trained is None else trained.path.since(self._now - timedelta(hours=4))
        uplift = None if trained is None else trained.uplift
        cutoff = None if trained is None else trained.outlook.cutoff
        model = self._borrowed[steps].for_workload(workload.workload, path, uplift, cutoff)
        return _stored(workload, model, why or self._own_history(workload.workload))

    def _make_borrowed(self, lead_steps: int) -> LeadPeakModel:
        teachers = [
            (one, self._paths.get(one.series_id))
            for one in self._known.values()
            if _observed(one) >= _TEACHES
        ]
        try:
            if not teachers:
                raise HistoryTooShort("no workload has a day of history")
            return train_fleet(teachers, self._now, lead_steps)
        except PrerollError as error:
            _log.info("the starter model it is", extra={"reason": str(error)})
        except Exception as error:  # the starter needs no training
            _log.error("no model of the fleet", exc_info=error)
        return load_starter(self._fleet.step, lead_steps)

    def _own_history(self, name: str) -> str:
        known = self._known.get(name)
        observed = timedelta(0) if known is None else _observed(known)
        return f"{format_duration(observed)} of own history" if observed else "no own history"


def _config(rule: ScalingRule) -> PeakConfig:
    levels = tuple(sorted({*DEFAULT_LEVELS, rule.quantile}))
    return dataclasses.replace(PeakConfig(), levels=levels)


def _observed(series: TrafficSeries) -> timedelta:
    """From the first observed interval to the last."""
    bounds = series.observed_bounds()
    return timedelta(0) if bounds is None else (bounds[1] - bounds[0]) * series.step


def _stored(workload: WorkloadSettings, model: LeadPeakModel, why: str) -> StoredPeak:
    return StoredPeak(workload.workload, model.cutoff, model.taught.value, why, model.to_bytes())
