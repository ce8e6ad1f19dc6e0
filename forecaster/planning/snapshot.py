"""What is known of every workload at one moment: the only thing that serving reads.

A snapshot is never changed, it is replaced: a reader that holds one sees one consistent state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType

from forecaster.errors import NoUsablePlan, UnknownWorkload
from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.planning.event_floor import NOTHING_DECLARED, Declared
from forecaster.planning.live import NO_LIVE, Live
from forecaster.planning.plan import Plan
from forecaster.planning.planner import Known, ask, decide
from forecaster.planning.target import Held, Target

__all__ = ["ObservedTraffic", "Snapshot", "TrainingState", "WorkloadState"]


@dataclass(frozen=True)
class ObservedTraffic:
    """The latest complete interval: its start and its traffic per second."""

    start: datetime
    rate_rps: float


@dataclass(frozen=True)
class TrainingState:
    """How training went: when it last ended well, how long it took, what failed since."""

    trained_at: datetime | None = None
    seconds: float | None = None
    runs: int = 0
    failures: int = 0
    last_error: str | None = None


@dataclass(frozen=True, eq=False)
class WorkloadState:
    """One workload: how it scales, its plan, or the reason why there is none, and live traffic.

    ``declared`` are the floors of events, with or without a plan; ``notices`` are things a person
    should know while it is served ("no traffic since 20:04"). ``why_off`` says why a workload is
    off that nobody switched off.
    """

    namespace: str
    name: str
    rule: ScalingRule
    plan: Plan | None = None
    reason: str | None = None
    observed: ObservedTraffic | None = None
    training: TrainingState = TrainingState()
    notices: tuple[str, ...] = ()
    live: Live = NO_LIVE
    declared: Declared = NOTHING_DECLARED
    why_off: str = ""

    @property
    def workload(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def settled(self) -> bool:
        """Whether there is something to serve, or a stated reason for having nothing."""
        known = self.plan is not None or self.live.told is not None or self.reason is not None
        return known or self.rule.mode is Mode.OFF

    def target(self, now: datetime) -> Target:
        """The target at ``now``; NoUsablePlan, with the reason, where there is none.

        A workload that is off, or in shadow with nothing to show, has one all the same: no floor.
        An error would make the HPA hold, and who only watches must not pin anything.
        """
        mode = self.rule.mode
        if mode is Mode.OFF:
            why = f": {self.why_off}" if self.why_off else ""
            return Target(self.workload, now, 0, 0, mode, (f"off: KEDA gets 0 (no floor){why}",))
        try:
            return decide(self._known(now), now)
        except NoUsablePlan as error:
            if mode is not Mode.SHADOW:
                raise
            told = f"shadow: KEDA gets 0 (no floor); no plan to show: {error}"
            return Target(self.workload, now, 0, 0, mode, (told,))

    def need(self, now: datetime) -> Held | None:
        """What is needed in the step of ``now``, before any hold-down, and when that step ends.

        None where nothing is planned.
        """
        if self.rule.mode is Mode.OFF:
            return None
        try:
            asked = ask(self._known(now), now)
        except NoUsablePlan:
            return None
        return Held(asked.step_end, asked.needed)

    def says_the_same(self, other: WorkloadState) -> bool:
        """Whether nothing has changed: the same plan object, and equal values of all else."""
        return all(getattr(self, one.name) == getattr(other, one.name) for one in fields(self))

    def no_plan(self) -> NoUsablePlan:
        """Why there is no plan, as the error to raise."""
        off = self.rule.mode is Mode.OFF
        reason = "off: nothing is planned" if off else self.reason or "not trained yet"
        return NoUsablePlan(f"{self.workload}: {reason}")

    def _known(self, now: datetime) -> Known:
        why = None
        if self.plan is None:
            why = str(self.no_plan())
            if self.live.told is not None:
                why = f"{why}; {self.live.why_not(now)}"
        return Known(self.workload, self.rule, self.plan, self.live, self.declared, why)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Every workload's state by ``namespace/name``; ``notices`` concern them all."""

    workloads: Mapping[str, WorkloadState] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "workloads", MappingProxyType(dict(self.workloads)))

    @property
    def ready(self) -> bool:
        """Whether every workload is served, or has a stated reason for being not."""
        return all(state.settled for state in self.workloads.values())

    def state(self, workload: str) -> WorkloadState:
        """The state of ``namespace/name``; UnknownWorkload where it is not configured."""
        try:
            return self.workloads[workload]
        except KeyError:
            raise UnknownWorkload(f"no workload {workload!r} is configured") from None

    def target(self, workload: str, now: datetime) -> Target:
        """The target of one workload at ``now``; UnknownWorkload or NoUsablePlan."""
        return self.state(workload).target(now)
