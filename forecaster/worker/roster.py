"""The fleet as it is now: the settings, what ScaledObjects declare, and what was measured."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter

from forecaster.errors import StoreError
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import NoteShelf
from forecaster.worker.capacity_messages import MeasuredCapacity

__all__ = ["MeasuredLeadTime", "Roster"]

_NOTE = "roster"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredLeadTime:
    """A measured lead time, and what it was measured from, in words."""

    lead_time: timedelta
    reason: str


@dataclass(frozen=True)
class _Known:
    """What a restart goes on from."""

    declared: tuple[WorkloadSettings, ...] = ()
    lead_times: Mapping[str, MeasuredLeadTime] | None = None
    capacities: Mapping[str, MeasuredCapacity] | None = None


_STORED = TypeAdapter(_Known)


class Roster:
    """Workloads by the settings first, then by the cluster; each with what is measured of it.

    What the cluster told is kept in the store, so that a restart without an API server plans for
    the same workloads. ``trouble`` is why it could not be kept, or read, the last time.
    """

    def __init__(self, settings: Fleet, shelf: NoteShelf | None = None) -> None:
        self._settings = settings
        self._shelf = shelf
        self._known = _Known()
        self._fleet = self._made()
        self.trouble: str | None = None

    def load(self) -> None:
        """Take what is stored; what cannot be read counts as never told."""
        if self._shelf is None:
            return
        try:
            found = self._shelf.load(_NOTE)
            if found is not None:
                self._known = _STORED.validate_json(found)
                self._fleet = self._made()
        except (StoreError, ValueError) as error:
            self.trouble = f"what the cluster had told cannot be read: {error}"
            _log.error("roster unreadable", extra={"error": str(error)})

    def fleet(self) -> Fleet:
        """The fleet; the same object while nothing has changed."""
        return self._fleet

    def lead_time_of(self, workload: str) -> MeasuredLeadTime | None:
        """What was measured of a workload's lead time, whether it is used or not."""
        return (self._known.lead_times or {}).get(workload)

    def capacity_of(self, workload: str) -> MeasuredCapacity | None:
        """What was measured of a workload's capacity."""
        return (self._known.capacities or {}).get(workload)

    def take_declared(self, declared: Iterable[WorkloadSettings]) -> None:
        """All workloads that the cluster declares; those of the settings come first."""
        self._take(replace(self._known, declared=tuple(declared)))

    def take_lead_times(self, measured: Mapping[str, MeasuredLeadTime]) -> None:
        """New measurements; those of other workloads stay."""
        self._take(replace(self._known, lead_times={**(self._known.lead_times or {}), **measured}))

    def take_capacities(self, measured: Mapping[str, MeasuredCapacity]) -> None:
        """New measurements; those of other workloads stay."""
        self._take(replace(self._known, capacities={**(self._known.capacities or {}), **measured}))

    def _take(self, known: _Known) -> None:
        names = {one.workload for one in (*self._settings.workloads, *known.declared)}
        known = _Known(
            known.declared,
            {name: one for name, one in (known.lead_times or {}).items() if name in names},
            {name: one for name, one in (known.capacities or {}).items() if name in names},
        )
        if known == self._known:
            return
        self._known = known
        fleet = self._made()
        if fleet != self._fleet:
            self._fleet = fleet
        if self._shelf is None:
            return
        try:
            self._shelf.save(_NOTE, _STORED.dump_json(known).decode())
            self.trouble = None
        except StoreError as error:
            self.trouble = f"what the cluster told cannot be kept: {error}"

    def _made(self) -> Fleet:
        written = {one.workload for one in self._settings.workloads}
        theirs = [one for one in self._known.declared if one.workload not in written]
        return replace(
            self._settings,
            workloads=tuple(self._measured(one) for one in (*self._settings.workloads, *theirs)),
        )

    def _measured(self, one: WorkloadSettings) -> WorkloadSettings:
        rule, measured = one.rule, one.measured
        why_off = one.why_off
        if measured.lead_time and (lead := self.lead_time_of(one.workload)) is not None:
            least, most = measured.lead_time_floor, measured.lead_time_ceiling
            rule = replace(rule, lead_time=min(max(lead.lead_time, least), most))
        if measured.capacity and (capacity := self.capacity_of(one.workload)) is not None:
            if capacity.rps is None:
                why_off = f"capacity: auto, which cannot be measured yet: {capacity.reason}"
            else:
                rule = replace(rule, capacity_rps=capacity.rps, mode=measured.mode)
                why_off = ""
        return replace(one, rule=rule, why_off=why_off)
