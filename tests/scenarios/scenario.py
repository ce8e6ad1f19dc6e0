"""Scenarios: this load, and at these instants that. Read from YAML, every key known.

    about: A match of a kind that was on every second evening.
    quick: true                  # seconds: not marked slow
    known_limit: why it fails    # expected to fail until somebody does something about it
    load:
      base: {trace: tournament, from: 1998-05-05}     # or {wave: {mean_rps, swing, noise}, from: …}
      step: 1m
      days: 22                   # whole days; the last `judged` of them are decided, one by default
      seed: 1                    # of noise, and of what varies from event to event
      events:
        - {kind: match, at: "19:00", every: 2, factor: 5, varies: 0.2, unpunctual: 2m}
        - {kind: match, at: "19:00", factor: 5, late: 2m}
    checks:
      - {at: match.start - 5m, expect: {ratio_to_truth: {between: [1.0, 2.2]}}}
      - {at: [match.start - 5m, match.end + 3m], expect: {short_minutes: 0}}

An event stands in the calendar from ``at`` on for ``planned``; what it brings is a cliff (×
``factor``, none without) that begins ``late`` after ``at`` (or early: -2m) and goes on for
``lasts``, with ``dip`` of its excess left at half-time. With ``every`` it is on every so many days
before the judged ones, from day ``first`` on; with ``day`` on that day; else on the first judged
one. ``announced: false``: no calendar has it; ``known_from`` and ``known_until``, clocks of the
first judged day: only from then on, or until then. The workload is trained at each judged midnight,
and whenever the calendar changes.

An instant is a clock of the first judged day, or an event's ``start`` or ``end`` (when traffic
really rises and falls), its ``planned_start`` or ``planned_end``, ± durations. What is expected at
a stretch is expected at each of its steps, but for sums over it. See ``stage.py`` for what can be
expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from forecaster.durations import parse_duration

__all__ = ["Base", "Check", "Entry", "Load", "Scenario", "ScenarioError", "read_scenario"]

_TERM = re.compile(r"\s*([+-])\s*(\S+)")
_INSTANT = re.compile(
    r"(?:(?P<name>[a-z][\w-]*)\.(?P<edge>start|end|planned_start|planned_end)|(?P<clock>\d\d:\d\d))"
    r"(?P<terms>(?:\s+[+-]\s+\S+)*)"
)


class ScenarioError(ValueError):
    """A file that cannot be read; begins with the file and the place in it."""


@dataclass(frozen=True)
class Base:
    """Traffic without events: the bundled trace from a day on, or a daily wave with noise."""

    start: datetime
    trace: str = ""
    mean_rps: float = 0.0
    swing: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True)
class Entry:
    """One line of ``events``: what is in the calendar, what it brings, and on which days."""

    kind: str
    at: timedelta
    name: str = ""
    day: int | None = None
    every: int | None = None
    first: int = 0
    factor: float | None = None
    varies: float = 0.0
    late: timedelta = timedelta(0)
    unpunctual: timedelta = timedelta(0)
    lasts: timedelta | None = None
    planned: timedelta = timedelta(minutes=105)
    dip: float = 0.5
    announced: bool = True
    declared: float | None = None
    audience: str = ""
    known_from: timedelta | None = None
    known_until: timedelta | None = None

    def days(self, judged: int) -> range:
        """The days it is on, where ``judged`` is the first judged one."""
        if self.every is not None:
            return range(self.first, judged, self.every)
        day = judged if self.day is None else self.day
        return range(day, day + 1)


@dataclass(frozen=True)
class Load:
    """The traffic and what is known of it; hashable, so what was trained of it is shared."""

    base: Base
    days: int
    events: tuple[Entry, ...]
    step: timedelta = timedelta(minutes=1)
    judged: int = 1
    seed: int = 1

    @property
    def judged_day(self) -> int:
        """The first judged day, counted from 0."""
        return self.days - self.judged

    @property
    def judged_from(self) -> datetime:
        """Its midnight."""
        return self.base.start + timedelta(days=self.judged_day)


@dataclass(frozen=True)
class Check:
    """What is expected at an instant, or from one to another; ``until`` None: at the instant."""

    said: str
    since: str
    until: str | None
    expect: Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One file."""

    path: Path
    about: str
    load: Load
    checks: tuple[Check, ...]
    quick: bool = False
    known_limit: str = ""


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file; ScenarioError names the file and the place of what cannot be read."""
    try:
        whole = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")), "the file")
        known = {"about", "quick", "known_limit", "load", "checks"}
        _only(whole, known, {"about", "load", "checks"}, "the file")
        return Scenario(
            path,
            str(whole["about"]),
            _load(whole["load"]),
            tuple(_check(one, f"checks[{at}]") for at, one in enumerate(whole["checks"])),
            quick=bool(whole.get("quick", False)),
            known_limit=str(whole.get("known_limit", "")),
        )
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path.name}: {error}") from error


def parse_instant(text: str) -> tuple[str, str, timedelta]:
    """Name and edge of an event, both empty for a clock, and what is to be added.

    >>> parse_instant("match.start - 5m")
    ('match', 'start', datetime.timedelta(days=-1, seconds=86100))
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no instant; write for example match.start - 5m or 20:05")
    offset = _clock(found["clock"]) if found["clock"] else timedelta(0)
    for sign, duration in _TERM.findall(found["terms"]):
        offset += parse_duration(duration) * (1 if sign == "+" else -1)
    return found["name"] or "", found["edge"] or "", offset


def _load(found: object) -> Load:
    load = _mapping(found, "load")
    _only(load, {one.name for one in fields(Load)}, {"base", "days", "events"}, "load")
    events = tuple(_entry(one, f"load.events[{at}]") for at, one in enumerate(load["events"]))
    given = {name: int(load[name]) for name in ("days", "judged", "seed") if name in load}
    if "step" in load:
        given["step"] = parse_duration(load["step"])
    return Load(base=_base(load["base"]), events=events, **given)


def _base(found: object) -> Base:
    base = _mapping(found, "load.base")
    _only(base, {"trace", "wave", "from"}, {"from"}, "load.base")
    if not isinstance(base["from"], date):
        raise ValueError(f"load.base.from: a day, for example 1998-05-05, not {base['from']!r}")
    start = datetime.combine(base["from"], time(0), UTC)
    if ("trace" in base) == ("wave" in base):
        raise ValueError("load.base: either a trace or a wave")
    if "trace" in base:
        if base["trace"] != "tournament":
            raise ValueError(f"load.base.trace: tournament, not {base['trace']!r}")
        return Base(start, trace="tournament")
    wave = _mapping(base["wave"], "load.base.wave")
    _only(wave, {"mean_rps", "swing", "noise"}, {"mean_rps"}, "load.base.wave")
    return Base(start, **{name: float(value) for name, value in wave.items()})


def _entry(found: object, where: str) -> Entry:
    entry = dict(_mapping(found, where))
    _only(entry, {one.name for one in fields(Entry)}, {"kind", "at"}, where)
    for name in ("at", "known_from", "known_until"):
        if name in entry:
            entry[name] = _clock(entry[name], f"{where}.{name}: ")
    for name in ("late", "unpunctual", "lasts", "planned"):
        if name in entry:
            text = str(entry[name])
            sign = -1 if text.startswith("-") else 1
            entry[name] = sign * parse_duration(text.removeprefix("-"))
    if "every" in entry and "day" in entry:
        raise ValueError(f"{where}: either every or day")
    return Entry(**{"name": entry["kind"], **entry})


def _check(found: object, where: str) -> Check:
    check = _mapping(found, where)
    _only(check, {"at", "expect"}, {"at", "expect"}, where)
    edges = check["at"] if isinstance(check["at"], list) else [check["at"]]
    if not 1 <= len(edges) <= 2:
        raise ValueError(f"{where}.at: one instant or two, not {len(edges)}")
    for edge in edges:
        parse_instant(edge)
    expect = _mapping(check["expect"], f"{where}.expect")
    return Check(" to ".join(edges), edges[0], edges[1] if edges[1:] else None, expect)


def _clock(text: object, where: str = "") -> timedelta:
    found = re.fullmatch(r"(\d\d):(\d\d)", text) if isinstance(text, str) else None
    if found is None:  # YAML reads 19:00 without quotes as 1140
        raise ValueError(f'{where}a clock in quotes, for example "19:00", not {text!r}')
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def _mapping(found: object, where: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping) or not found:
        raise ValueError(f"{where}: keys and values are needed, not {found!r}")
    return found


def _only(found: Mapping[str, Any], known: set[str], needed: set[str], where: str) -> None:
    if unknown := sorted(set(found) - known):
        raise ValueError(
            f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    if missing := sorted(needed - set(found)):
        raise ValueError(f"{where}: {missing[0]!r} is missing")
