"""A target: the number that KEDA gets, who spoke for it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from forecaster.durations import format_duration
from forecaster.planning.capacity import Mode, ScalingRule

__all__ = ["Asked", "Held", "Source", "Target", "instant_text", "settle"]


class Source(StrEnum):
    """Who spoke: the lead peak, from live traffic; the outlook, from the past alone; or nobody.

    The floor of an event speaks where neither forecast does; it raises both.
    """

    LEAD_PEAK = "lead_peak"
    OUTLOOK = "outlook"
    EVENT = "event"
    NONE = "none"


@dataclass(frozen=True)
class Held:
    """So many replicas were served at ``at`` and are not to be let go before the hold-down."""

    at: datetime
    replicas: int


@dataclass(frozen=True)
class Asked:
    """What is asked for in the step that holds an instant.

    ``wanted`` is the traffic over capacity, whatever the limits; ``needed`` is the same within
    them, or the floor of an event where that is higher; ``replicas`` is ``needed``, held on the way
    down. ``reason`` is the arithmetic in words, ``beside`` what is said beside it: which event's
    floor holds, or why no forecast speaks. ``step_end`` is when the next ``step`` begins, and with
    it perhaps another answer.
    """

    source: Source
    wanted: int
    needed: int
    replicas: int
    reason: str
    step: timedelta
    step_end: datetime
    beside: str = ""


@dataclass(frozen=True)
class Target:
    """What KEDA gets (``replicas``), what was planned, and why.

    ``replicas`` is 0, "no floor", in the modes shadow and off; ``planned_replicas`` is the same in
    all modes. ``source`` is who spoke. Until ``valid_until`` the target stays as it is, unless
    something new is known; None where nothing is planned.
    """

    workload: str
    at: datetime
    replicas: int
    planned_replicas: int
    mode: Mode
    reasons: tuple[str, ...]
    source: Source = Source.NONE
    valid_until: datetime | None = None


def settle(
    workload: str, now: datetime, rule: ScalingRule, asked: Asked, more: tuple[str, ...] = ()
) -> Target:
    """The target from what is asked for; ``more`` are reasons beside the arithmetic."""
    planned = asked.replicas
    reasons = [asked.reason, *more]
    if asked.beside:
        reasons.append(asked.beside)
    if asked.wanted < rule.min_replicas == asked.needed:
        reasons.append(f"raised to the minimum of {rule.min_replicas}")
    if asked.wanted > rule.max_replicas:
        reasons.append(f"limited to the maximum of {rule.max_replicas}, {asked.wanted} wanted")
    if planned > asked.needed:
        hold = format_duration(rule.hold_down)
        reasons.append(f"held at {planned}: needed within the last {hold}")
    if rule.mode is Mode.SHADOW:
        reasons.append(f"shadow: {planned} is shown here, KEDA gets 0 (no floor)")
    if rule.mode is Mode.OFF:
        reasons.append("off: KEDA gets 0 (no floor)")
    return Target(
        workload=workload,
        at=now.astimezone(UTC),
        replicas=planned if rule.mode is Mode.ACTIVE else 0,
        planned_replicas=planned,
        mode=rule.mode,
        reasons=tuple(reasons),
        source=asked.source,
        valid_until=asked.step_end,
    )


def instant_text(instant: datetime) -> str:
    """To the minute, in UTC: ``2026-05-04 20:04 UTC``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
