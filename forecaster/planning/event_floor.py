"""What events declare as a floor, in replicas, step by step.

A floor begins a lead time before its event may start, so that replicas asked for then are ready,
goes on until the event ends where it starts as late as it may, and holds in each step that it has a
part in: the same in the plan and in what is served.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.durations import format_duration
from forecaster.events import Event
from forecaster.planning.capacity import IntArray, ScalingRule, wanted_replicas
from forecaster.planning.target import instant_text
from forecaster.traffic.history import FloatArray

__all__ = [
    "NOTHING_DECLARED",
    "Declared",
    "EventFloor",
    "declaring",
    "event_floor",
    "planned_floors",
    "served_floors",
    "wanted_floor",
]

_LET_GO = 0.5
"""Of the traffic that a floor stands for: below that, nobody watches any more."""


@dataclass(frozen=True)
class EventFloor:
    """The largest floor of a step: as declared, within the rule's limits, and why it holds.

    ``label`` names its event.
    """

    wanted: int
    replicas: int
    reason: str
    label: str


@dataclass(frozen=True)
class Declared:
    """The events that declare a floor for one workload, and the last traffic that it had.

    ``step`` is that of the traffic, ``seen_rps`` the traffic of the last complete interval, which
    ended at ``seen_until``; both None where no traffic is known.
    """

    events: tuple[Event, ...] = ()
    step: timedelta = timedelta(minutes=1)
    seen_rps: float | None = None
    seen_until: datetime | None = None


NOTHING_DECLARED = Declared()


def declaring(events: Iterable[Event]) -> tuple[Event, ...]:
    """Those that declare a floor, and are not cancelled."""
    return tuple(
        one for one in events if (one.floor_replicas or one.floor_rps) and not one.cancelled
    )


def event_floor(
    declared: Declared, rule: ScalingRule, since: datetime, until: datetime
) -> EventFloor | None:
    """The largest floor of the step [since, until); None where no event has one in it.

    An event's floor holds from its earliest start, less the lead time, until its ``late_end``: its
    planned end, or so much later as the start may be. With ``hold`` it goes on, until the latest
    end, while the last traffic since then is above half of what the floor stands for, or no traffic
    since then is known.

    40 replicas for a show from 19:00 on, at a lead time of 5 minutes, hold from 18:55 on.
    """
    holding = [
        one for one in declaring(declared.events) if _holds(one, declared, rule, since, until)
    ]
    if not holding:
        return None
    largest = min(holding, key=lambda one: (-wanted_floor(one, rule), one.start))
    wanted = wanted_floor(largest, rule)
    reason = _reason(largest, declared, rule, since)
    if wanted > rule.max_replicas:
        reason += f"; limited to the maximum of {rule.max_replicas}"
    within = min(max(wanted, rule.min_replicas), rule.max_replicas)
    return EventFloor(wanted, within, reason, largest.label())


def planned_floors(
    events: Iterable[Event], rule: ScalingRule, start: datetime, step: timedelta, count: int
) -> IntArray:
    """The largest floor of each of ``count`` steps from ``start`` on, shape (count,); 0 for none.

    The same as :func:`event_floor`, but without ``hold``: no plan knows the traffic that it will
    see. Within the rule's maximum.
    """
    floors = np.zeros(count, dtype=np.int64)
    for one in declaring(events):
        first = max((_begin(one, rule) - start) // step, 0)
        last = max(-((start - one.late_end) // step), 0)
        most = min(wanted_floor(one, rule), rule.max_replicas)
        floors[first:last] = np.maximum(floors[first:last], most)
    return floors


def served_floors(
    events: Iterable[Event],
    rule: ScalingRule,
    start: datetime,
    step: timedelta,
    known_rps: FloatArray,
) -> IntArray:
    """The largest floor that was served at each step from ``start`` on, shape (steps,); 0 for none.

    The same as :func:`event_floor` at each of them, ``hold`` included, within the rule's maximum.
    ``known_rps`` (steps,) is the traffic of the interval that ended where each step starts, NaN for
    a gap.
    """
    count, listed = len(known_rps), declaring(events)
    floors = planned_floors(listed, rule, start, step, count)
    last = np.maximum.accumulate(np.where(np.isnan(known_rps), -1, np.arange(count)))
    for one in listed:
        most = min(wanted_floor(one, rule), rule.max_replicas)
        first, end = (-((start - at) // step) for at in (one.late_end, one.latest_end))
        for row in range(max(first, 0), min(end, count)):
            since, seen = start + row * step, int(last[row])
            known = (float(known_rps[seen]), start + seen * step) if seen >= 0 else (None, None)
            if _holds(one, Declared((one,), step, *known), rule, since, since + step):
                floors[row] = max(int(floors[row]), most)
    return floors


def _begin(event: Event, rule: ScalingRule) -> datetime:
    return event.earliest_start - rule.lead_time


def wanted_floor(event: Event, rule: ScalingRule) -> int:
    """What an event declares as a floor, in replicas, whatever the limits; 0 for none."""
    by_count = event.floor_replicas or 0
    if not event.floor_rps:
        return by_count
    return max(by_count, int(wanted_replicas(np.array([event.floor_rps]), rule)[0]))


def _let_go_rps(event: Event, rule: ScalingRule) -> float:
    stands_for = max(event.floor_rps or 0.0, (event.floor_replicas or 0) * rule.capacity_rps)
    return _LET_GO * stands_for


def _holds(
    event: Event, declared: Declared, rule: ScalingRule, since: datetime, until: datetime
) -> bool:
    if _begin(event, rule) >= until or event.latest_end <= since:
        return False
    if event.late_end > since:
        return True
    seen = _seen_after(event, declared)
    return seen is None or seen > _let_go_rps(event, rule)


def _seen_after(event: Event, declared: Declared) -> float | None:
    """The last traffic, where it is from after the end: what was before says nothing."""
    seen, until = declared.seen_rps, declared.seen_until
    if seen is None or until is None or until < event.late_end or not math.isfinite(seen):
        return None
    return seen


def _reason(event: Event, declared: Declared, rule: ScalingRule, since: datetime) -> str:
    wanted = wanted_floor(event, rule)
    floor = f"event floor {wanted:,} replica{'' if wanted == 1 else 's'}"
    if event.floor_rps and wanted > (event.floor_replicas or 0):
        floor += f" ({event.floor_rps:,.6g} rps ÷ {rule.capacity_rps:,.6g} rps)"
    end = _clock(event.late_end, since)
    unsure = format_duration(event.start_uncertainty) if event.start_uncertainty else ""
    ended = (
        f"the latest planned end of {event.label()}" if unsure else f"the end of {event.label()}"
    )
    if event.late_end <= since:
        seen = _seen_after(event, declared)
        if seen is None or declared.seen_until is None:
            return (
                f"{floor} held: no traffic is known since {ended} at {end}, "
                f"let go at {_clock(event.latest_end, since)}"
            )
        after = format_duration(declared.seen_until - event.late_end)
        return (
            f"{floor} held: traffic is {seen:,.4g} rps {after} after {ended}, "
            f"let go below {_let_go_rps(event, rule):,.4g} rps"
        )
    start = _clock(event.start, since)
    if event.start > since:
        or_earlier = f", or up to {unsure} earlier" if unsure else ""
        from_when = _clock(_begin(event, rule), since)
        return f"{floor} from {from_when}: {event.label()} starts at {start}{or_earlier}"
    or_later = f", or up to {unsure} later" if unsure else ""
    return f"{floor} until {end}: {event.label()} started at {start}{or_later}"


def _clock(at: datetime, near: datetime) -> str:
    """``19:00 UTC``, or with its date where that is another one than that of ``near``."""
    at, near = at.astimezone(UTC), near.astimezone(UTC)
    return f"{at:%H:%M} UTC" if at.date() == near.date() else instant_text(at)
