"""The fleet as it is now: the settings, what ScaledObjects declare, and what was measured."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from pydantic import TypeAdapter

from forecaster.errors import StoreError
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import NoteShelf
from forecaster.worker.capacity_messages import MeasuredCapacity

__all__ = ["MeasuredLeadTime", "Roster"]

_NOTES = "roster/"

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredLeadTime:
    """A measured lead time, and what it was measured from, in words."""

    lead_time: timedelta
    reason: str


@dataclass(frozen=True)
class _Kept:
    """What a restart goes on from, of one workload."""

    declared: WorkloadSettings | None = None
    lead_time: MeasuredLeadTime | None = None
    capacity: MeasuredCapacity | None = None


_STORED = TypeAdapter(_Kept)


class Roster:
    """Workloads by the settings first, then by the cluster; each with what is measured of it.

    What the cluster told is kept in the store, so that a restart without an API server plans for
    the same workloads: ``save`` writes what has changed. ``trouble`` is why it could not be kept,
    or read, the last time.
    """

    def __init__(self, settings: Fleet, shelf: NoteShelf | None = None) -> None:
        self._settings = settings
        self._shelf = shelf
        self._written = {one.workload: one for one in settings.workloads}
        self._declared: dict[str, WorkloadSettings] = {}
        self._lead_times: dict[str, MeasuredLeadTime] = {}
        self._capacities: dict[str, MeasuredCapacity] = {}
        self._unsaved: set[str] = set()
        self._unread: str | None = None
        self._unkept: str | None = None
        self._made: dict[str, WorkloadSettings] = {}
        self._fleet = settings
        self._make()

    @property
    def trouble(self) -> str | None:
        """Why what the cluster told cannot be kept, or could not be read; None for neither."""
        return self._unkept or self._unread

    def load(self) -> None:
        """Take what is stored; what cannot be read counts as never told."""
        if self._shelf is None:
            return
        unreadable = []
        try:
            stored = self._shelf.load_below(_NOTES)
        except StoreError as error:
            stored, unreadable = {}, [str(error)]
        for name, document in sorted(stored.items()):
            try:
                self._take_kept(name, _STORED.validate_json(document or ""))
            except ValueError as error:
                unreadable.append(f"{name}: {error}")
        self._make()
        if unreadable:
            more = f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else ""
            self._unread = f"what the cluster had told cannot be read: {unreadable[0]}{more}"
            _log.error("roster unreadable", extra={"error": self._unread})

    def save(self, most: int | None = None) -> bool:
        """Keep what has changed since the last call, of so many workloads at the ``most``.

        Returns whether there is more to keep at once; what cannot be kept waits for a later call.
        """
        names = sorted(self._unsaved)[:most]
        if self._shelf is None or not names:
            return False
        try:
            self._shelf.save_all({f"{_NOTES}{name}": self._document(name) for name in names})
        except StoreError as error:
            self._unkept = f"what the cluster told cannot be kept: {error}"
            return False
        self._unkept = None
        self._unsaved.difference_update(names)
        return bool(self._unsaved)

    def fleet(self) -> Fleet:
        """The fleet; the same object while nothing has changed."""
        return self._fleet

    def lead_time_of(self, workload: str) -> MeasuredLeadTime | None:
        """What was measured of a workload's lead time, whether it is used or not."""
        return self._lead_times.get(workload)

    def capacity_of(self, workload: str) -> MeasuredCapacity | None:
        """What was measured of a workload's capacity."""
        return self._capacities.get(workload)

    def take_declared(
        self, declared: Iterable[WorkloadSettings], unread: Collection[str] = ()
    ) -> None:
        """All workloads that the cluster declares; those of the settings come first.

        Those of ``unread`` namespaces, of which nobody can tell, stay as they were.
        """
        known = {one.workload: one for one in declared if one.workload not in self._written}
        held = {name: o for name, o in self._declared.items() if o.namespace in unread}
        known = dict(sorted({**held, **known}.items()))
        self._unread = None
        if known == self._declared:
            return
        before, self._declared = self._declared, known
        self._unsaved |= {n for n in before.keys() | known.keys() if before.get(n) != known.get(n)}
        for name in before.keys() - known.keys():
            self._lead_times.pop(name, None)
            self._capacities.pop(name, None)
        self._make()

    def take_lead_times(self, measured: Mapping[str, MeasuredLeadTime]) -> None:
        """New measurements; those of other workloads stay."""
        self._take(self._lead_times, measured)

    def take_capacities(self, measured: Mapping[str, MeasuredCapacity]) -> None:
        """New measurements; those of other workloads stay."""
        self._take(self._capacities, measured)

    def _take(self, kept: dict[str, T], measured: Mapping[str, T]) -> None:
        others = False
        for name, one in measured.items():
            settings = self._written.get(name) or self._declared.get(name)
            if settings is None or kept.get(name) == one:
                continue
            kept[name] = one
            self._unsaved.add(name)
            made = self._measured(settings)
            if made != self._made[name]:
                self._made[name], others = made, True
        if others:
            self._fleet = replace(self._settings, workloads=tuple(self._made.values()))

    def _take_kept(self, name: str, kept: _Kept) -> None:
        if name not in self._written:
            if kept.declared is None or kept.declared.workload != name:
                self._unsaved.add(name)  # it has left the settings, and goes from the store too
                return
            self._declared[name] = kept.declared
        if kept.lead_time is not None:
            self._lead_times[name] = kept.lead_time
        if kept.capacity is not None:
            self._capacities[name] = kept.capacity

    def _document(self, name: str) -> str | None:
        """What is kept of a workload; None where nothing is known of it any more."""
        kept = _Kept(
            self._declared.get(name), self._lead_times.get(name), self._capacities.get(name)
        )
        return None if kept == _Kept() else _STORED.dump_json(kept).decode()

    def _make(self) -> None:
        known = {**self._written, **self._declared}
        made = {name: self._measured(one) for name, one in known.items()}
        if made != self._made:
            self._made = made
            self._fleet = replace(self._settings, workloads=tuple(made.values()))

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
