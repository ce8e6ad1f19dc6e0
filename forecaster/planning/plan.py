"""The plan: the targets of the next two days, from the outlook and the floors of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from forecaster.durations import format_duration
from forecaster.errors import NoUsablePlan
from forecaster.events import Event
from forecaster.models.outlook import Outlook
from forecaster.planning.capacity import IntArray, ScalingRule, replicas_for, wanted_replicas
from forecaster.planning.event_floor import Declared, declaring, event_floor, planned_floors
from forecaster.planning.hold import hold
from forecaster.planning.target import Asked, Held, Source, Target, instant_text, settle
from forecaster.traffic.history import FloatArray

__all__ = ["Plan", "build_plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Targets of one workload, one per step of its outlook.

    ``needed`` is the ceiling of the lead window's highest quantile over capacity, within limits, or
    the floor of an event where that is higher; ``replicas`` is ``needed`` held down; ``peak_rps``
    and ``peak_index`` say how high and at which step of the outlook the lead window peaks. All have
    shape (steps of the plan,). ``events`` are those whose floors are in it, up to their planned
    ends.
    """

    outlook: Outlook
    rule: ScalingRule
    peak_rps: FloatArray
    peak_index: IntArray
    needed: IntArray
    replicas: IntArray
    held: tuple[Held, ...] = ()
    events: tuple[Event, ...] = ()

    def __len__(self) -> int:
        return len(self.replicas)

    @property
    def start(self) -> datetime:
        """The first instant that the plan covers."""
        return self.outlook.start

    @property
    def end(self) -> datetime:
        """The first instant that the plan does not cover any more."""
        return self.start + len(self) * self.outlook.step

    def covers(self, now: datetime) -> bool:
        """Whether a target can be given for ``now``."""
        return self.start <= now < self.end

    def target(self, now: datetime) -> Target:
        """The target at ``now`` by this plan alone, with its reasons.

        Raises NoUsablePlan before the plan's start and from its end on.
        """
        asked = self.ask(now)
        declared = Declared(self.events, asked.step)
        floor = event_floor(declared, self.rule, asked.step_end - asked.step, asked.step_end)
        asked = asked if floor is None else replace(asked, beside=floor.reason)
        return settle(self.outlook.series_id, now, self.rule, asked)

    def ask(self, now: datetime) -> Asked:
        """What the outlook asks for in the step of ``now``, raised to the floors of the plan.

        Raises as :meth:`target` does.
        """
        if not self.covers(now):
            raise NoUsablePlan(
                f"{self.outlook.series_id}: the plan made at {instant_text(self.outlook.cutoff)} "
                f"covers {instant_text(self.start)} to {instant_text(self.end)}, "
                f"not {instant_text(now)}"
            )
        rule, step = self.rule, self.outlook.step
        index = (now - self.start) // step
        peak_at = self.start + int(self.peak_index[index]) * step
        wanted = int(wanted_replicas(self.peak_rps[index : index + 1], rule)[0])
        return Asked(
            source=Source.OUTLOOK,
            wanted=wanted,
            needed=int(self.needed[index]),
            replicas=int(self.replicas[index]),
            reason=(
                f"outlook {rule.quantile:g} quantile {self.peak_rps[index]:,.4g} rps at "
                f"{peak_at:%H:%M} UTC within the next {format_duration(rule.lead_time)} "
                f"÷ {rule.capacity_rps:,.6g} rps = {wanted}"
            ),
            step=step,
            step_end=self.start + (index + 1) * step,
        )


def build_plan(
    outlook: Outlook,
    rule: ScalingRule,
    held: Sequence[Held] = (),
    events: Iterable[Event] = (),
) -> Plan:
    """Targets from an outlook: the peak of each lead window, over capacity, held on the way down.

    The plan has one target per step whose whole lead window lies within the outlook, so it is
    ``rule.lead_steps(step)`` steps shorter. ``held`` are recent targets of an earlier plan, so that
    a retrain does not drop replicas within the hold-down. ``events`` are those that concern the
    workload: their floors raise what is needed.

    Raises NoUsablePlan where the outlook is shorter than one lead window.
    """
    lead, step = rule.lead_steps(outlook.step), outlook.step
    rates = outlook.at(rule.quantile)
    if len(rates) <= lead:
        raise NoUsablePlan(
            f"{outlook.series_id}: the outlook's {len(rates)} steps are fewer than one lead window "
            f"of {lead + 1}"
        )
    windows = np.lib.stride_tricks.sliding_window_view(rates, lead + 1)
    offset = windows.argmax(axis=1)
    peak_index = (np.arange(len(windows)) + offset).astype(np.int64)
    peak_rps = rates[peak_index]
    # No plan knows the traffic that decides how long a floor is held beyond its planned end.
    floors = tuple(replace(one, hold=False) if one.hold else one for one in declaring(events))
    raised = planned_floors(floors, rule, outlook.start, step, len(windows))
    needed = np.maximum(replicas_for(peak_rps, rule), raised)
    replicas = hold(needed, rule.hold_steps(step))
    for one in held:
        until = -((outlook.start - (one.at + rule.hold_down)) // step)
        since = max((one.at - outlook.start) // step - 1, 0)  # its own step, none before
        if until > since:
            kept = min(one.replicas, rule.max_replicas)
            replicas[since:until] = np.maximum(replicas[since:until], kept)
    return Plan(outlook, rule, peak_rps, peak_index, needed, replicas, tuple(held), floors)
