"""The start-ups of all workloads that are known, and the lead times that they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from forecaster.cluster.lead_time import MeasuredLead, measured_lead_time
from forecaster.cluster.seen import NodeSeen, PodSeen
from forecaster.cluster.start_up_rows import StartUpRow
from forecaster.cluster.start_ups import StartUps
from forecaster.worker.cluster_messages import SeenLead

__all__ = ["KeptLead", "StartUpWatch"]

_MEASURE_ALL_SECONDS = 600.0
_KEPT_SECONDS = 86_400.0


@dataclass(frozen=True)
class KeptLead:
    """What is kept of a workload for a restart: its start-ups, and the lead time they came to."""

    rows: tuple[StartUpRow, ...]
    measured: MeasuredLead | None


class StartUpWatch:
    """What was seen of pods, by workload (``namespace/name``); pure, one thread's.

    A workload that is known no more is kept for a day, for it may come back.
    """

    def __init__(self, floor: timedelta, ceiling: timedelta, kept: Mapping[str, KeptLead]) -> None:
        self._floor, self._ceiling = floor, ceiling
        self._start_ups = {name: StartUps.from_rows(one.rows) for name, one in kept.items()}
        self._leads = {name: one.measured for name, one in kept.items() if one.measured}
        self._told: dict[str, SeenLead] = {}
        self._left: dict[str, float] = {}
        self._measure: set[str] = set(kept)
        self._unsaved: set[str] = set()
        self._all_measured_at = self._looked_at = 0.0

    def note(
        self,
        name: str,
        now: float,
        before: PodSeen | None,
        after: PodSeen | None,
        node: NodeSeen | None = None,
    ) -> None:
        """A pod of this workload is another one than before."""
        self._measure.add(name)
        start_ups = self._start_ups.setdefault(name, StartUps())
        if start_ups.note(now, before, after, node) is not None:
            self._unsaved.add(name)

    def tell_again(self, name: str) -> None:
        """Whoever was told has forgotten it: the workload was gone, or is a new one."""
        self._told.pop(name, None)
        self._measure.add(name)

    def measured(self, now: float, known: Callable[[str], bool]) -> dict[str, SeenLead]:
        """What is other than it was told last, of the workloads that are ``known``."""
        if not 0.0 <= now - self._all_measured_at < _MEASURE_ALL_SECONDS:
            self._all_measured_at = now  # start-ups grow old, pods wait on
            self._measure |= self._start_ups.keys()
        found = {}
        for name in [one for one in self._measure if one in self._start_ups and known(one)]:
            before = self._leads.get(name)
            summary = self._start_ups[name].summary(now)
            measured = measured_lead_time(
                now, summary, before, floor=self._floor, ceiling=self._ceiling
            )
            one = SeenLead(measured, summary)
            if one != self._told.get(name):
                self._leads[name], self._told[name], found[name] = measured, one, one
            if before is not None and before.lead_time != measured.lead_time:
                self._unsaved.add(name)
        self._measure.clear()
        return found

    def forget_others(self, now: float, known: Callable[[str], bool]) -> None:
        """Let go of workloads that have not been ``known`` for a day; looks every ten minutes."""
        if 0.0 <= now - self._looked_at < _MEASURE_ALL_SECONDS:
            return
        self._looked_at = now
        for name in list(self._start_ups):
            if known(name):
                self._left.pop(name, None)
            elif now - self._left.setdefault(name, now) > _KEPT_SECONDS:
                for one in (self._start_ups, self._leads, self._told, self._left):
                    one.pop(name, None)
                self._unsaved.add(name)

    def unsaved(self) -> dict[str, KeptLead | None]:
        """What has changed since the last call, of what a restart needs; None: let it go."""
        names, self._unsaved = self._unsaved, set()
        return {
            name: KeptLead(tuple(one.to_rows()), self._leads.get(name))
            if (one := self._start_ups.get(name)) is not None
            else None
            for name in names
        }
