"""A scenario's load, decided and replayed as the service would, and what is expected of it.

Of each decision (the start of a step, from what had ended by then): ``lead_peak_0.98`` and other
levels, traffic per second; ``ratio_to_truth`` and ``ratio_to_ordinary``, the 0.98 quantile over the
highest traffic of the lead window that came, or that would have come without events; ``source``,
lead_peak or outlook. Over a stretch: ``short_minutes``, minutes with too few ready replicas in any
part, and ``ready_ratio``, Σ ready over Σ needed replicas. A value stands for itself; else
``{above: x}``, ``{below: x}`` (x itself will do) or ``{between: [x, y]}``, where x may be
``needed`` or ``ordinary``: the lead window's highest traffic with events, or without.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from forecaster.backtest.cliffs import Cliff, with_cliffs
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import PeakOrigin, work_origin
from forecaster.backtest.peak_tasks import peak_tasks
from forecaster.backtest.policies import Preroll
from forecaster.backtest.policies.preroll import EXAMPLE_BEHAVIOR
from forecaster.backtest.replay import PolicyReplay, replay_policy
from forecaster.backtest.replay_settings import ReplaySettings, auto_capacity
from forecaster.backtest.span import ReplaySpan, lead_peaks
from forecaster.events import Calendar, Event
from forecaster.traffic.history import FloatArray, TrafficSeries
from forecaster.traffic.sample import sample_history
from tests.scenarios.scenario import Base, Check, Entry, Load, parse_instant

__all__ = ["Happened", "Staged", "failures", "happenings", "stage"]

LEAD, QUANTILE = timedelta(minutes=3), 0.98
LEVELS = (0.5, 0.9, QUANTILE)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Happened:
    """An entry on one day: as it was planned, and what traffic did (None: nothing)."""

    entry: Entry
    event: Event
    cliff: Cliff | None

    def edge(self, name: str) -> datetime:
        """``start`` and ``end`` of what came, or of the plan where nothing did."""
        if self.cliff is None or name.startswith("planned_"):
            return self.event.start if name.endswith("start") else self.event.planned_end
        return self.cliff.start if name == "start" else self.cliff.end


@dataclass(frozen=True, eq=False)
class Staged:
    """A load, what was decided at each judged step, and what ran."""

    load: Load
    happened: tuple[Happened, ...]
    decisions: PeakDecisions
    ordinary_rps: FloatArray
    replay: PolicyReplay
    oracle: FloatArray

    def instant(self, text: str) -> datetime:
        """The instant that a scenario writes so; ValueError where it is not a judged one."""
        name, edge, offset = parse_instant(text)
        begin = self.load.judged_from
        if name:
            own = [one for one in self.happened if one.entry.name == name]
            own = [one for one in own if one.event.start >= self.load.judged_from]
            if len(own) != 1:
                raise ValueError(f"{text}: {len(own)} judged events are called {name!r}, not one")
            begin = own[0].edge(edge)
        found = begin + offset
        if not 0 <= self.place(found) < len(self.ordinary_rps):
            raise ValueError(f"{text}: {found:%Y-%m-%d %H:%M} is not judged")
        return found

    def place(self, instant: datetime) -> int:
        """The judged step that an instant lies in."""
        return (instant - self.load.judged_from) // self.load.step

    def values(self, quantity: str, steps: slice) -> list[float | str]:
        """What a scenario can ask, at each step, or one for all of them where it is a sum."""
        decided = self.decisions
        if quantity == "short_minutes":
            short = np.nan_to_num(self.replay.short[steps]) > 1e-6
            return [float(short.sum() * (self.load.step / MINUTE))]
        if quantity == "ready_ratio":
            return [float(self.replay.ready[steps].sum() / self.oracle[steps].sum())]
        if quantity == "source":
            return ["lead_peak" if live else "outlook" for live in decided.live[steps]]
        if quantity.startswith("lead_peak_"):
            found = decided.served(float(quantity.removeprefix("lead_peak_")))
        elif quantity in ("needed", "ratio_to_truth"):
            found = decided.observed_rps
        elif quantity in ("ordinary", "ratio_to_ordinary"):
            found = self.ordinary_rps
        else:
            raise ValueError(f"{quantity!r} cannot be expected; see stage.py for what can")
        if quantity.startswith("ratio_to_"):
            found = decided.served(QUANTILE) / found
        listed: list[float | str] = found[steps].tolist()
        return listed


def stage(load: Load) -> Staged:
    """Train at each judged midnight and change of the calendar, decide every step, replay."""
    random = np.random.default_rng(load.seed)
    base = _base(load.base, load, random)
    happened = tuple(happenings(load, random))
    series = with_cliffs(base, [one.cliff for one in happened if one.cliff is not None])
    steps = max(1, -(-LEAD // load.step))
    decisions = decide(series, list(_origins(load, series, happened, steps)), steps, LEVELS)
    span = ReplaySpan(series, load.judged_from)
    settings = ReplaySettings(auto_capacity(span), LEAD, tolerance_ratio=0.1)
    policy = Preroll(QUANTILE, decisions.served(QUANTILE), behavior=EXAMPLE_BEHAVIOR)
    return Staged(
        load,
        happened,
        decisions,
        lead_peaks(base.rate_rps, steps)[span.first :],
        replay_policy(span, policy, settings),
        settings.oracle_replicas(span).astype(np.float64),
    )


def failures(staged: Staged, check: Check) -> Iterator[str]:
    """What is otherwise than expected: the instant, the value and what it should have been."""
    since = staged.instant(check.since)
    until = since + staged.load.step if check.until is None else staged.instant(check.until)
    steps = slice(staged.place(since), staged.place(until - timedelta(microseconds=1)) + 1)
    if steps.stop <= steps.start:
        raise ValueError(f"{check.said}: ends before it begins")
    for quantity, expected in check.expect.items():
        values = staged.values(quantity, steps)
        for number, value in enumerate(values):
            at = slice(steps.start + number, steps.start + number + 1)
            limits = _limits(staged, expected, steps if len(values) == 1 else at)
            if not all(_holds(value, how, limit) for how, limit in limits):
                instant = since + number * staged.load.step
                shown = value if isinstance(value, str) else f"{value:.3g}"
                yield f"{check.said} ({instant:%H:%M:%S}): {quantity} is {shown}, not {expected}"


def _limits(staged: Staged, expected: Any, steps: slice) -> list[tuple[str, float | str]]:
    def operand(given: Any) -> float | str:
        return staged.values(given, steps)[0] if isinstance(given, str) else float(given)

    if not isinstance(expected, dict):
        return [("is", expected)]
    if len(expected) != 1 or not set(expected) <= {"above", "below", "between"}:
        raise ValueError(f"one of above, below or between, not {expected}")
    if "between" in expected:
        low, high = expected["between"]
        return [("above", operand(low)), ("below", operand(high))]
    return [(how, operand(given)) for how, given in expected.items()]


def _holds(value: Any, how: str, limit: Any) -> bool:
    if how == "is":
        return bool(value == limit)
    return bool(value >= limit if how == "above" else value <= limit)


def happenings(load: Load, random: np.random.Generator) -> Iterator[Happened]:
    """Every entry on each of its days, in the order of the file."""
    for entry in load.events:
        for day in entry.days(load.judged_day):
            planned = load.base.start + day * DAY + entry.at
            event = Event(
                planned,
                planned + entry.planned,
                entry.kind,
                name=entry.name,
                uplift=entry.declared,
                audience=entry.audience,
            )
            factor, late = random.standard_normal(), random.uniform(-1, 1)
            cliff = None
            if entry.factor is not None:
                cliff = Cliff(
                    planned + entry.late + late * entry.unpunctual,
                    entry.factor * float(np.exp(entry.varies * factor)),
                    entry.lasts or entry.planned,
                    dip=entry.dip,
                )
            yield Happened(entry, event, cliff)


def _base(base: Base, load: Load, random: np.random.Generator) -> TrafficSeries:
    steps = load.days * DAY // load.step
    if base.trace:
        whole = next(iter(sample_history())).since(base.start)
        part = None if whole is None else whole.before(base.start + load.days * DAY)
        if part is None or part.step != load.step or len(part) != steps:
            raise ValueError(f"{base.trace} has no {load.days} days at {load.step} from then on")
        return part
    phase = 2 * np.pi * (np.arange(steps) * (load.step / DAY) - 0.375)
    noise = np.exp(base.noise * random.standard_normal(steps))
    rates = base.mean_rps * (1 + base.swing * np.sin(phase)) * noise
    return TrafficSeries("streaming/player-api", base.start, load.step, rates)


def _origins(
    load: Load, series: TrafficSeries, happened: tuple[Happened, ...], steps: int
) -> Iterator[PeakOrigin]:
    clocks = {one for entry in load.events for one in (entry.known_from, entry.known_until) if one}
    begins = {
        load.judged_from + one for one in (*clocks, *(day * DAY for day in range(load.judged)))
    }
    edges = [*sorted(begins), series.end]
    for begin, end in itertools.pairwise(edges):
        part = series.before(end)
        assert part is not None
        clock = begin - load.judged_from
        known = Calendar(tuple(one.event for one in happened if _known(one.entry, clock)))
        for task in peak_tasks(part, begin, steps, LEVELS):
            yield work_origin(replace(task, calendar=known))


def _known(entry: Entry, clock: timedelta) -> bool:
    since, until = entry.known_from, entry.known_until
    return entry.announced and (since is None or clock >= since) and (not until or clock < until)
