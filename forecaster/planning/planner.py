"""The planner: the lead peak's target while live traffic is fresh, else the outlook's.

While the lead peak speaks the outlook does not count: what it says of this moment was said up to
two days ago, and its quantile is as wide as those days. What events declare as a floor raises
either, and is served where neither speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from forecaster.durations import format_duration
from forecaster.errors import NoUsablePlan
from forecaster.models.peak import Taught
from forecaster.planning.capacity import ScalingRule, replicas_for, wanted_replicas
from forecaster.planning.event_floor import NOTHING_DECLARED, Declared, EventFloor, event_floor
from forecaster.planning.hold import hold
from forecaster.planning.live import NO_LIVE, Live, ToldPeak
from forecaster.planning.plan import Plan
from forecaster.planning.target import Asked, Held, Source, Target, settle

__all__ = ["Known", "ask", "decide", "still_held"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Known:
    """All that is known of one workload, ``namespace/name``, to decide by.

    ``declared`` are the floors of events, ``why`` says why there is no plan.
    """

    workload: str
    rule: ScalingRule
    plan: Plan | None = None
    live: Live = NO_LIVE
    declared: Declared = NOTHING_DECLARED
    why: str | None = None


def decide(known: Known, now: datetime) -> Target:
    """The target at ``now``, held on the way down, with its reasons.

    Raises NoUsablePlan where no lead peak is fresh, no plan covers ``now``, and no event has a
    floor.
    """
    asked = ask(known, now)
    rule, plan, live = known.rule, known.plan, known.live
    told = live.fresh(now)
    planned = plan is not None and plan.covers(now)
    if told is not None:
        more = _told_by(told, planned)
    elif planned:
        more = f"outlook speaks: {live.why_not(now)}"
    else:
        more = ""
    if live.held:
        held = still_held(asked, live.held, rule)
        asked = replace(asked, replicas=max(asked.replicas, held))
    target = settle(known.workload, now, rule, asked, (more,) if more else ())
    if told is None:
        return target
    return replace(target, valid_until=min(asked.step_end, told.at + live.stale_after))


def ask(known: Known, now: datetime) -> Asked:
    """What is needed in the step of ``now``, and who says so; raises as :func:`decide` does."""
    rule, declared = known.rule, known.declared
    try:
        asked = _forecast(known, now)
    except NoUsablePlan as error:
        since = _EPOCH + (now - _EPOCH) // declared.step * declared.step
        floor = event_floor(declared, rule, since, since + declared.step)
        if floor is None:
            raise
        why = str(error).removeprefix(f"{known.workload}: ")
        return _floor_alone(floor, rule, since, declared, why)
    floor = event_floor(declared, rule, asked.step_end - asked.step, asked.step_end)
    if floor is None:
        return asked
    needed, replicas = max(asked.needed, floor.replicas), max(asked.replicas, floor.replicas)
    return replace(asked, needed=needed, replicas=replicas, beside=floor.reason)


def _forecast(known: Known, now: datetime) -> Asked:
    told = known.live.fresh(now)
    if told is not None:
        return _lead_peak(told, known.rule, now)
    if known.plan is None:
        nothing = f"{known.workload}: there is no plan, and {known.live.why_not(now)}"
        raise NoUsablePlan(known.why or nothing)
    return known.plan.ask(now)


def _floor_alone(
    floor: EventFloor, rule: ScalingRule, since: datetime, declared: Declared, why: str
) -> Asked:
    return Asked(
        source=Source.EVENT,
        wanted=min(floor.wanted, rule.max_replicas),  # its own reason says what was wanted
        needed=floor.replicas,
        replicas=floor.replicas,
        reason=floor.reason,
        step=declared.step,
        step_end=since + declared.step,
        beside=f"no forecast speaks: {why}",
    )


def still_held(asked: Asked, held: Sequence[Held], rule: ScalingRule) -> int:
    """Replicas after the hold-down: ``held`` are the needs of steps just past, by their ends.

    The rule that holds a whole plan on the way down holds these.
    """
    steps = rule.hold_steps(asked.step)
    needs = np.full(steps + 1, asked.needed, dtype=np.int64)
    for one in held:
        back = round((asked.step_end - one.at) / asked.step)
        if 0 <= back <= steps:
            kept = min(one.replicas, rule.max_replicas)
            needs[steps - back] = max(int(needs[steps - back]), kept)
    return int(hold(needs, steps)[-1])


def _lead_peak(told: ToldPeak, rule: ScalingRule, now: datetime) -> Asked:
    peak = np.array([told.peak_rps])
    wanted, needed = int(wanted_replicas(peak, rule)[0]), int(replicas_for(peak, rule)[0])
    return Asked(
        source=Source.LEAD_PEAK,
        wanted=wanted,
        needed=needed,
        replicas=needed,
        reason=(
            f"{told.onset}{'; ' if told.onset else ''}"
            f"lead peak {told.quantile:g} quantile {told.peak_rps:,.4g} rps within the next "
            f"{format_duration(rule.lead_time)} ÷ {rule.capacity_rps:,.6g} rps = {wanted}; "
            f"traffic was {told.now_rps:,.4g} rps up to {told.at:%H:%M} UTC"
        ),
        step=told.step,
        step_end=told.step_end(now),
    )


def _told_by(told: ToldPeak, planned: bool) -> str:
    """Whose model spoke, where it is not simply the workload's own beside an outlook."""
    if told.taught is Taught.OWN:
        return "" if planned else "no outlook stands behind it"
    parts = (told.why_taught, "" if planned else "no outlook yet")
    why = ", ".join(part for part in parts if part)
    return f"{told.taught.value} model: {why}" if why else f"{told.taught.value} model"
