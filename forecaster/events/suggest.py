"""Peaks as events to be declared: those that come back are a rule, the others stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.events.event import MOST_UPLIFT, Event
from forecaster.events.recurring import DailyWindow
from forecaster.events.suggest_peaks import Peak

__all__ = ["Suggestion", "suggest_events"]

_DAY = timedelta(days=1)
_SAME_CLOCK = 20.0  # minutes
_SAME_LENGTH = 2.0  # so many times longer or shorter is another thing
_LEAST_SIGHTINGS = 3
_LEAST_ON_A_WEEKDAY = 2
_LEAST_SHARE = 0.6
_ROUND_MINUTES = 5
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Suggestion:
    """A peak that nothing known explains, or several that come back, as a calendar's entry.

    ``entry`` is an event, or a window of some weekdays from its first sighting on; its kind is a
    placeholder for a person to replace. ``occasions`` is how often it could have been seen, and
    ``excess`` the requests of all ``sightings`` above what was expected.
    """

    entry: Event | DailyWindow
    sightings: tuple[Peak, ...]
    occasions: int

    @property
    def event(self) -> Event:
        """The event, or the pattern of the rule's."""
        return self.entry if isinstance(self.entry, Event) else self.entry.pattern

    @property
    def kind(self) -> str:
        """What it is called until a person knows better."""
        return self.event.kind

    @property
    def uplift(self) -> float:
        """The factor on traffic: of several sightings the middle one's."""
        return float(median(one.uplift for one in self.sightings))

    @property
    def excess(self) -> float:
        """Requests above what was expected, of all sightings together."""
        return sum(one.excess for one in self.sightings)


def suggest_events(
    peaks: Sequence[Peak],
    until: datetime,
    timezone: str = "UTC",
    least_step: timedelta = timedelta(minutes=1),
) -> tuple[Suggestion, ...]:
    """What to declare for ``peaks``, found before ``until``, the largest excess first.

    Peaks of like length at about the same time by the clock of ``timezone`` are one rule where
    they came on three occasions or more, and on most of its weekdays' since the first.
    ``least_step`` is the traffic's step: what is less than it apart is the same time.
    """
    zone = ZoneInfo(timezone)
    left = list(peaks)
    rules: list[Suggestion] = []
    tried: list[Peak] = []
    while left:
        like = _most_alike(left, zone, max(_SAME_CLOCK, least_step / timedelta(minutes=1)))
        rule = _rule(like, until, zone) if len(like) >= _LEAST_SIGHTINGS else None
        if rule is None:
            left = [one for one in left if one not in like]
            tried += like
            continue
        rules.append(rule)
        left = [one for one in left if one not in rule.sightings]
    alone = [Suggestion(_single(one, "unknown"), (one,), 1) for one in tried]
    ordered = sorted([*rules, *alone], key=lambda one: -one.excess)
    return tuple(_named(ordered))


def _minutes(instant: datetime, zone: ZoneInfo) -> float:
    local = instant.astimezone(zone)
    return local.hour * 60 + local.minute + local.second / 60


def _most_alike(peaks: Sequence[Peak], zone: ZoneInfo, near: float) -> list[Peak]:
    """The largest set of peaks like one of them in clock time and length."""
    clock = np.array([_minutes(one.start, zone) for one in peaks])
    length = np.log([one.duration.total_seconds() for one in peaks])
    apart = np.abs(clock[:, None] - clock[None, :])
    like = np.minimum(apart, 1440 - apart) <= near
    like &= np.abs(length[:, None] - length[None, :]) <= np.log(_SAME_LENGTH)
    best = int(like.sum(axis=1).argmax())
    return [one for one, alike in zip(peaks, like[best], strict=True) if alike]


def _rule(peaks: Sequence[Peak], until: datetime, zone: ZoneInfo) -> Suggestion | None:
    """A window of the weekdays that it came on, mostly; None where it comes back on none."""
    start = _usual_start(peaks, zone)
    dates = [_date(one, start, zone) for one in peaks]
    first, end = min(dates), until.astimezone(zone).date()
    since_first = [first + n * _DAY for n in range((end - first).days)]
    could = Counter(day.weekday() for day in {*since_first, *dates})
    was = Counter(day.weekday() for day in set(dates))
    usual = tuple(
        day
        for day in sorted(was)
        if was[day] >= _LEAST_ON_A_WEEKDAY and was[day] >= _LEAST_SHARE * could[day]
    )
    seen = [one for one, day in zip(peaks, dates, strict=True) if day.weekday() in usual]
    if len(seen) < _LEAST_SIGHTINGS:
        return None
    return Suggestion(_window(seen, usual, zone), tuple(seen), sum(could[day] for day in usual))


def _usual_start(peaks: Sequence[Peak], zone: ZoneInfo) -> int:
    """Minutes since midnight, rounded; shortly before midnight is near shortly after."""
    base = _minutes(peaks[0].start, zone)
    return _rounded(base + median(_apart(_minutes(one.start, zone), base) for one in peaks)) % 1440


def _apart(minutes: float, start: float) -> float:
    """How much later than ``start`` it is by the clock, -720 to 720."""
    return (minutes - start + 720) % 1440 - 720


def _date(one: Peak, start: int, zone: ZoneInfo) -> date:
    """The day whose window it is."""
    late = _apart(_minutes(one.start, zone), start)
    return (one.start.astimezone(zone).replace(tzinfo=None) - timedelta(minutes=late)).date()


def _window(seen: Sequence[Peak], days: tuple[int, ...], zone: ZoneInfo) -> DailyWindow:
    start = _usual_start(seen, zone)
    length = _rounded(median(one.duration / timedelta(minutes=1) for one in seen))
    length = min(max(length, _ROUND_MINUTES), 1440 - _ROUND_MINUTES)
    at, end = _time(start), _time((start + length) % 1440)
    clock = f"{at.hour:02d}h" + (f"{at.minute:02d}" if at.minute else "")
    pattern = replace(
        _single(seen[0], f"{_days_words(days)}-{clock}"),
        uplift=_factor(median(one.uplift for one in seen)),
    )
    first = min(_date(one, start, zone) for one in seen)
    chosen = () if len(days) == len(_WEEKDAYS) else days
    return DailyWindow(at, end, zone.key, pattern, chosen, first)


def _days_words(days: tuple[int, ...]) -> str:
    if len(days) == len(_WEEKDAYS):
        return "daily"
    if days == (0, 1, 2, 3, 4):
        return "workdays"
    if days == (5, 6):
        return "weekends"
    if len(days) == 1:
        return f"weekly-{_WEEKDAYS[days[0]]}"
    return "-".join(_WEEKDAYS[day][:3] for day in days)


def _rounded(minutes: float) -> int:
    return int(_ROUND_MINUTES * round(minutes / _ROUND_MINUTES))


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _factor(uplift: float) -> float:
    return round(min(uplift, MOST_UPLIFT), 2)


def _single(peak: Peak, kind: str) -> Event:
    return Event(
        peak.start.astimezone(UTC), peak.end.astimezone(UTC), kind, uplift=_factor(peak.uplift)
    )


def _named(ordered: Sequence[Suggestion]) -> list[Suggestion]:
    """Kinds of their own: a number for each that stands alone."""
    named, number, taken = [], 0, Counter[str]()
    for one in ordered:
        if isinstance(one.entry, Event):
            number += 1
            named.append(replace(one, entry=replace(one.entry, kind=f"unknown-{number}")))
            continue
        taken[one.kind] += 1
        if taken[one.kind] > 1:
            pattern = replace(one.entry.pattern, kind=f"{one.kind}-{taken[one.kind]}")
            one = replace(one, entry=replace(one.entry, pattern=pattern))
        named.append(one)
    return named
