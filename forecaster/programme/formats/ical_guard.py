"""Recurrence rules that would keep a machine busy, found before they are followed.

A rule that comes every second is no event; one that never comes again sends the library on a
search through eight thousand years.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime, time, timedelta
from typing import Any

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]  # ships no types

__all__ = ["MOST_A_DAY", "occurrences", "rule_problem", "steps_of", "zone_problem"]

MOST_A_DAY = 48
_MOST_INTERVAL = 10_000
_FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_FILTERS = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYHOUR", "BYSETPOS")
# The last years that Python knows: a search that finds nothing ends soon, after one cycle of
# weekdays and leap years.
_PROBE_YEARS = range(9944, 9972)
_MOST_LISTED = 400


def occurrences(calendar: icalendar.Calendar, since: datetime, until: datetime) -> list[Any]:
    """Every entry of the calendar that is going on within the bounds, once for each occurrence."""
    found: list[Any] = recurring_ical_events.of(calendar).between(since, until)
    return found


def rule_problem(rule: Any, start: date) -> str | None:
    """Why this RRULE is not followed; None where it may be."""
    frequency = _one(rule, "FREQ", "")
    if frequency not in _FREQUENCIES:
        return f"FREQ={frequency} is no rhythm of events"
    interval = _one(rule, "INTERVAL", 1)
    if not 1 <= interval <= _MOST_INTERVAL:
        return f"its INTERVAL is {interval}; 1 to {_MOST_INTERVAL:,} can be followed"
    lists = [rule.get(name, []) for name in rule]
    if any(isinstance(one, list) and len(one) > _MOST_LISTED for one in lists):
        return f"it lists more than {_MOST_LISTED} values"
    a_day = len(rule.get("BYMINUTE", [0])) * len(rule.get("BYSECOND", [0]))
    a_day *= 24 if frequency == "HOURLY" else len(rule.get("BYHOUR", [0]))
    if a_day > MOST_A_DAY:
        return f"it comes more than {MOST_A_DAY} times a day, which no event does"
    if any(name in rule for name in _FILTERS) and not _comes_again(rule, start):
        return "no day fits it"
    return None


def steps_of(rule: Any, start: date, until: date) -> int:
    """About how many days, or hours, the library looks at."""
    days = max(0, until.toordinal() - start.toordinal())
    return days * 24 if _one(rule, "FREQ", "") == "HOURLY" else days


def zone_problem(zone: str) -> str | None:
    """Why a VTIMEZONE is not read: clocks change once or twice a year, and no zone is long."""
    for line in zone.upper().splitlines():
        if line.startswith(("RRULE", "X-")) and "FREQ=" in line and "FREQ=YEARLY" not in line:
            return "its clocks change by a rule that is not yearly"
        if line.startswith("RRULE") and any(
            part in line for part in ("BYHOUR", "BYMINUTE", "BYSECOND", "BYYEARDAY", "BYWEEKNO")
        ):
            return "its clocks change by a rule that no zone has"
    if zone.upper().count("BEGIN:STANDARD") + zone.upper().count("BEGIN:DAYLIGHT") > 200:
        return "its clocks have more than 200 rules"
    return None


def _comes_again(rule: Any, start: date) -> bool:
    """Whether the rule, begun in a like year at the end of time, has a second day."""
    like = next(
        year
        for year in _PROBE_YEARS
        if isleap(year) == isleap(start.year)
        and date(year, 1, 1).weekday() == date(start.year, 1, 1).weekday()
    )
    at = start.timetz().replace(tzinfo=None) if isinstance(start, datetime) else time(0)
    begins = datetime.combine(date(like, start.month, start.day), at)
    event = icalendar.Event()
    event.add("UID", "probe")
    event.add("DTSTART", begins)
    endless = {name: rule[name] for name in rule if name not in ("UNTIL", "COUNT")}
    event.add("RRULE", icalendar.vRecur(endless))
    calendar = icalendar.Calendar()
    calendar.add_component(event)
    found: Any = recurring_ical_events.of(calendar).after(begins + timedelta(seconds=1))
    return next(found, None) is not None


def _one(rule: Any, name: str, default: Any) -> Any:
    value = rule.get(name, default)
    return value[0] if isinstance(value, list) and value else value
