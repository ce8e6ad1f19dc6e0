"""From start-ups to a lead time: p95 and the way there, bounded, and steady enough to train for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.durations import format_duration

__all__ = [
    "FETCH_SECONDS",
    "HPA_SYNC_SECONDS",
    "MeasuredLead",
    "announced_late",
    "measured_lead_time",
    "scaling_delay",
]

HPA_SYNC_SECONDS = 15.0
"""The HPA asks at its syncs, and a new value waits for the next one: a whole period at worst."""

FETCH_SECONDS = 3.0
"""KEDA's time-out for one question: an answer that counts has come by then."""

_GRAIN = 15
"""Seconds: lead times are whole multiples, for nothing finer acts than an HPA's sync."""

_LOWER = 0.8
"""A lead time is let go only for one below this part of it."""

_STAYS_LOW = 86_400.0
"""Seconds for which less must have been enough: a day has its quiet night and its peak."""

_NOTED_AGAIN = 3600.0
"""Seconds between two notes of the same need: who passes on what is new has little to pass on."""

_MOST_DOWN = 0.5
"""A lead time falls to half at the most, and then waits for another day."""


@dataclass(frozen=True, slots=True)
class MeasuredLead:
    """The lead time of a workload whose lead time is ``auto``, and why it is that.

    ``measured`` is p95 and delay before bounds and smoothing, None where nothing is measured yet.
    ``needed_at`` is when so much was last called for, noted once an hour (Unix seconds): what the
    way down goes by.
    """

    lead_time: timedelta
    reason: str
    measured: timedelta | None = None
    needed_at: float = 0.0


def scaling_delay(cached_polling: timedelta | None = None) -> timedelta:
    """From "value served" to "replicas asked for": one HPA sync and one question of KEDA's.

    The HPA asks live every 15 s. With ``useCachedMetrics`` it gets what KEDA's operator last read,
    so that the pollingInterval comes on top: ``cached_polling``. Not in it: syncs that a scale-up
    takes where HPA's policies limit it (without a ``behavior`` it doubles at most, sync by sync).

    >>> scaling_delay(), scaling_delay(timedelta(seconds=30))
    (datetime.timedelta(seconds=18), datetime.timedelta(seconds=48))
    """
    return timedelta(seconds=HPA_SYNC_SECONDS + FETCH_SECONDS) + (cached_polling or timedelta(0))


def measured_lead_time(
    now: float,
    summary: StartUpSummary,
    before: MeasuredLead | None = None,
    *,
    delay: timedelta = timedelta(seconds=HPA_SYNC_SECONDS + FETCH_SECONDS),
    floor: timedelta = timedelta(seconds=30),
    ceiling: timedelta = timedelta(minutes=15),
    unmeasured: timedelta = timedelta(minutes=5),
) -> MeasuredLead:
    """p95 of the start-ups + ``delay``, up to whole 15 s, within ``floor`` and ``ceiling``.

    Each change of the lead window costs a training, so it does not follow every start-up:

    - up at once, when p95 has been higher at each of the last three start-ups: to what the three
      have in common;
    - down once less than 80 % would have done for a whole day; to half at the most, and then a day
      later again.

    ``before`` is what this gave last. While too few start-ups are known it stays, or else the lead
    time is ``unmeasured``. ValueError where the floor is above the ceiling.

    95 s of start-up + 18 s are 113 s, so 2 minutes.
    """
    if floor > ceiling:
        raise ValueError(
            f"floor must not be above ceiling, "
            f"not {format_duration(floor)} and {format_duration(ceiling)}"
        )
    bounds = (floor, ceiling)
    if summary.total is None or not summary.p95_lately:
        return _unmeasured(now, summary, before, unmeasured, bounds)
    lately = [timedelta(seconds=one) + delay for one in summary.p95_lately]
    measured = lately[-1]
    told = f"{summary.text()} + {format_duration(delay)} for HPA and KEDA"
    told += f" = {_whole(measured)}"
    alone, cut = _within(_grained(measured), bounds)
    in_steps = cut or _in_steps(alone, measured)
    if before is None or before.measured is None:
        return MeasuredLead(alone, f"{told}{in_steps}", measured, now)
    low, low_cut = _within(_grained(min(lately)), bounds)
    high, high_cut = _within(_grained(max(lately)), bounds)
    held, held_cut = _within(before.lead_time, bounds)
    if low > held:
        common = f"; {format_duration(low)} was called for three times in a row"
        why = f"{told}{low_cut or (in_steps if low == alone else common)}"
        return MeasuredLead(low, why, measured, now)
    if high > _LOWER * held:
        why = f"{told}{high_cut or held_cut}"
        if alone > held:
            why += f"; {format_duration(held)} is kept until three in a row call for more"
        elif alone < held:
            why += f"; {format_duration(held)} is kept until below 80 % of it will do for a day"
        elif not (high_cut or held_cut):
            why += in_steps
        noted = before.needed_at
        return MeasuredLead(held, why, measured, now if now - noted >= _NOTED_AGAIN else noted)
    why = f"{told}{high_cut}"
    if now - before.needed_at < _STAYS_LOW:
        until = _clock(before.needed_at + _STAYS_LOW)
        why += f"; {format_duration(held)} is kept until {until}, should it stay so low"
        return MeasuredLead(held, why, measured, before.needed_at)
    lead = max(high, _within(_grained(_MOST_DOWN * held), bounds)[0])
    why += f"; lowered from {format_duration(held)} to {format_duration(lead)}"
    if lead > high:
        why += ", half at the most in a day"
    return MeasuredLead(lead, why, measured, now)


def _unmeasured(
    now: float,
    summary: StartUpSummary,
    before: MeasuredLead | None,
    unmeasured: timedelta,
    bounds: tuple[timedelta, timedelta],
) -> MeasuredLead:
    if before is not None and before.measured is not None:
        lead, cut = _within(before.lead_time, bounds)
        told = f"{summary.text()}; {format_duration(lead)} is kept from before{cut}"
        return replace(before, lead_time=lead, reason=told)
    lead, cut = _within(unmeasured, bounds)
    return MeasuredLead(
        lead, f"{summary.text()}; {format_duration(lead)} until then{cut}", None, now
    )


def _grained(duration: timedelta) -> timedelta:
    """Up to whole grains; what lies a microsecond beyond one does not begin the next."""
    return timedelta(seconds=_GRAIN * math.ceil(round(duration.total_seconds(), 3) / _GRAIN))


def _in_steps(lead: timedelta, measured: timedelta) -> str:
    if _whole(measured) == format_duration(lead):
        return ""
    return f"; {format_duration(lead)} in whole {_GRAIN} s steps"


def _within(lead: timedelta, bounds: tuple[timedelta, timedelta]) -> tuple[timedelta, str]:
    floor, ceiling = bounds
    if lead < floor:
        return floor, f"; raised to the floor of {format_duration(floor)}"
    if lead > ceiling:
        return ceiling, f"; limited to the ceiling of {format_duration(ceiling)}"
    return lead, ""


def _whole(duration: timedelta) -> str:
    return format_duration(timedelta(seconds=round(duration.total_seconds())))


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def announced_late(
    event_start: datetime, known_since: datetime, lead_time: timedelta
) -> str | None:
    """What an event's short notice costs, or None where it was announced early enough.

    ``event_start`` is the earliest instant at which the event may begin. Replicas asked for at
    ``known_since`` are ready a lead time later.
    """
    notice = event_start - known_since
    if notice >= lead_time:
        return None
    ready = known_since + lead_time
    told = (
        f"announced {_whole(notice)} before its start"
        if notice > timedelta(0)
        else f"announced {_whole(-notice)} after its start"
        if notice < timedelta(0)
        else "announced at its start"
    )
    return (
        f"{told}, but replicas take {format_duration(lead_time)}: "
        f"expect too few until {ready.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )
