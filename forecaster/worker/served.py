"""What was served of late: a higher target outlives a retrain and a restart by its hold-down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from forecaster.planning.snapshot import WorkloadState
from forecaster.planning.target import Held

__all__ = ["ServedTargets"]


class ServedTargets:
    """The replicas that were needed in each step just past, by workload.

    A step's need is held from the step's end on, exactly as a plan holds it itself; so it does not
    matter in which plan the step stood, or whether the lead peak spoke. ``found`` is what the store
    knows from before a restart.
    """

    def __init__(self, found: Mapping[str, Iterable[Held]] = {}) -> None:
        self._held = {workload: list(held) for workload, held in found.items()}
        self._unsaved: list[tuple[str, Held]] = []

    def held(self, workload: str) -> tuple[Held, ...]:
        """What is to be held of the workload, oldest first."""
        return tuple(self._held.get(workload, ()))

    def unsaved(self) -> list[tuple[str, Held]]:
        """What was noted since the last call, for the store."""
        new, self._unsaved = self._unsaved, []
        return new

    def note(self, now: datetime, states: Iterable[WorkloadState]) -> None:
        """Note what is needed in the step of ``now``; forget what no hold-down reaches.

        A step noted before counts by its larger need. Without a hold-down there is nothing to note.
        """
        for state in states:
            workload, hold = state.workload, state.rule.hold_down
            kept = [one for one in self._held.get(workload, ()) if one.at + hold > now]
            held = state.need(now) if hold > timedelta(0) else None
            if held is not None:
                same = [one for one in kept if one.at == held.at]
                if all(one.replicas < held.replicas for one in same):
                    kept = [one for one in kept if one.at != held.at] + [held]
                    self._unsaved.append((workload, held))
            self._held[workload] = kept
