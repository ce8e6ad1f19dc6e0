"""Cliffs: ×5 and ×10 within two minutes, put into real traffic, announced or not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from multiprocessing import get_context

import numpy as np

from benchmarks.cliff_cases import KINDS, CliffCase, make_case
from benchmarks.traces import Trace
from forecaster.backtest.hpa import Band, Feedback, ScaleBehavior, ValueMetric
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_tasks import peak_tasks
from forecaster.backtest.policies import Preroll
from forecaster.backtest.policies.base import Floor, Policy, Setting
from forecaster.backtest.policies.exporter import prescale_metric
from forecaster.backtest.policies.hpa_alone import Hpa
from forecaster.backtest.policies.preroll import EXAMPLE_BEHAVIOR
from forecaster.backtest.replay import PolicyReplay, replay_policy
from forecaster.backtest.replay_settings import ReplaySettings, auto_capacity
from forecaster.backtest.span import ReplaySpan
from forecaster.events import EMPTY_CALENDAR, Calendar, Event
from forecaster.traffic.history import FloatArray, TrafficSeries
from forecaster.traffic.sample import sample_history

__all__ = ["measure_cliffs"]

MINUTE = timedelta(minutes=1)
SEEDS = 6
LEAD, QUANTILE = 3 * MINUTE, 0.98
TYPED_BEFORE = (10 * MINUTE, 90 * MINUTE)
EVENING = (timedelta(hours=18), timedelta(hours=23))
TV, TV_START = "livetv-viewers-spring-1min", datetime(2020, 3, 25, tzinfo=UTC)
CUP, CUP_START = "tournament, before it began", datetime(1998, 5, 5, tzinfo=UTC)

PREROLL = "Preroll"
POLICIES = (
    PREROLL,
    "Preroll without the calendar",
    "HPA at 50 %",
    "HPA at 50 %, example behavior",
    "exporter ×5 or ×10 from 10 min before, HPA at 70 %",
    "exporter ×5 or ×10 from 90 min before, HPA at 70 %",
)
PARTS = ("onset", "plateau", "half-time and return", "end")
_EDGES = (-5, 10, 45, 70, 105, 108)  # minutes from the real start; the second half is plateau again
_PART_OF = (0, 1, 2, 1, 3)


@dataclass(frozen=True)
class _Judged:
    """One event under one policy: minutes short by part of the event, and Σ ready ÷ Σ oracle.

    ``rises`` are those of the event-free traffic within the lead window, at the plateau's minutes
    that were short and at the others. ``slack`` is that of the whole week.
    """

    trace: str
    policy: str
    kind: str
    announced: bool
    short: tuple[int, ...]
    over: float
    slack: float
    rises: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def minutes(self) -> int:
        return sum(self.short)


@dataclass(frozen=True, eq=False)
class _TypedEvents:
    """prescaling-exporter with somebody who types the right whole number for each known event.

    ``replica.min`` is what the evening's ordinary traffic (``base``) needs at its highest, as if it
    were known; × the kind's factor from so long ``before`` the announced start to the end. An HPA
    grows a metric's Value by what is ready, so +10 % comes once a lead time, not once a sync.
    """

    events: tuple[Event, ...]
    base: TrafficSeries
    before: timedelta
    utilisation: float | None = 0.7

    @property
    def name(self) -> str:
        return "exporter"

    @property
    def setting(self) -> Setting:
        return {"utilisation": self.utilisation}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        desired = np.full(len(span), -1, dtype=np.int64)
        for event in self.events:
            midnight = datetime.combine(event.start.date(), time(0), UTC)
            first, last = (self.base.index_of(midnight + clock) for clock in EVENING)
            highest = float(np.nanmax(self.base.rate_rps[first:last]))
            replicas = int(np.ceil(settings.needed(np.array([highest]))[0]))
            begin = (event.start - self.before - span.start) // span.series.step
            end = (event.planned_end - span.start) // span.series.step
            desired[max(0, begin) : end] = round(KINDS[event.kind].factor) * replicas
        by_step = desired.tolist()
        return Floor(
            ValueMetric(10),
            Feedback(lambda step, current: float(prescale_metric(by_step[step], current))),
            Band.DISTANCE,
        )

    def variants(self) -> tuple[_TypedEvents, ...]:
        return (self,)


def measure_cliffs(traces: Sequence[Trace], seeds: int = SEEDS, jobs: int = 2) -> str:
    """Every policy over the last week of each trace and seed, as Markdown."""
    bases = {CUP: next(iter(sample_history())).since(CUP_START)}
    bases |= {one.name: one.series.since(TV_START) for one in traces if one.name == TV}
    asked = [(name, base, seed) for name, base in bases.items() for seed in range(seeds)]
    rows: list[_Judged] = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_judge_case, *one) for one in asked]
        for done, future in enumerate(as_completed(futures), 1):
            rows += future.result()
            print(f"cliffs: {done} of {len(asked)} weeks", file=sys.stderr, flush=True)
    return "\n".join([*_by_policy(rows), "", *_by_part(rows), "", *_figures(rows)])


def _judge_case(trace: str, base: TrafficSeries, seed: int) -> list[_Judged]:
    case = make_case(base, seed)
    span = ReplaySpan(case.series, case.judged_from)
    settings = ReplaySettings(auto_capacity(span), LEAD, tolerance_ratio=0.1)
    known, blind = (
        Preroll(QUANTILE, _decided(case, calendar), behavior=EXAMPLE_BEHAVIOR)
        for calendar in (case.calendar, EMPTY_CALENDAR)
    )
    events = tuple(case.known(case.judged_from))
    runs: list[tuple[Policy, ScaleBehavior | None]] = [
        (known, None),
        (blind, None),
        (Hpa(0.5), None),
        (Hpa(0.5), EXAMPLE_BEHAVIOR),
        *((_TypedEvents(events, case.base, before), None) for before in TYPED_BEFORE),
    ]
    rows = []
    for name, (policy, behavior) in zip(POLICIES, runs, strict=True):
        found = replay_policy(span, policy, replace(settings, behavior=behavior))
        rows += _judge(trace, name, case, span, found, settings)
    return rows


def _decided(case: CliffCase, calendar: Calendar) -> FloatArray:
    steps = -(-LEAD // case.series.step)
    levels = (0.5, 0.9, QUANTILE)
    tasks = [
        replace(one, calendar=calendar)
        for one in peak_tasks(case.series, case.judged_from, steps, levels)
    ]
    decisions = decide(case.series, [work_origin(one) for one in tasks], steps, levels)
    return decisions.served(QUANTILE)


def _judge(
    trace: str,
    policy: str,
    case: CliffCase,
    span: ReplaySpan,
    found: PolicyReplay,
    settings: ReplaySettings,
) -> Iterator[_Judged]:
    """Every event of the judged week; a minute is short where replicas missed in a part of it."""
    oracle = settings.oracle_replicas(span)
    is_short = np.nan_to_num(found.short) > 1e-6
    ordinary, lead = case.base.rate_rps[span.first :], -(-LEAD // MINUTE) + 1
    rise = ordinary / np.roll(ordinary, lead)
    for event, cliff, announced in zip(case.events, case.cliffs, case.announced, strict=True):
        if event.start < span.start:
            continue
        begin = (cliff.start - span.start) // MINUTE
        short = [0] * len(PARTS)
        edges = [begin + one for one in _EDGES]
        for part, first, last in zip(_PART_OF, edges[:-1], edges[1:], strict=True):
            short[part] += int(is_short[first:last].sum())
        plateau = np.r_[edges[1] : edges[2], edges[3] : edges[4]]
        on = slice(begin, edges[4])
        yield _Judged(
            trace,
            policy,
            event.kind,
            announced,
            tuple(short),
            float(found.ready[on].sum() / oracle[on].sum()),
            found.measures.slack_ratio,
            (
                tuple(rise[plateau[is_short[plateau]]].tolist()),
                tuple(rise[plateau[~is_short[plateau]]].tolist()),
            ),
        )


def _by_policy(rows: Sequence[_Judged]) -> Iterator[str]:
    yield (
        "| policy | the event is | events | none short | minutes short, median | 90th percentile "
        "| ready ÷ oracle, median | slack of the week |"
    )
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for announced, said in ((True, "announced"), (False, "not announced")):
        for policy in POLICIES:
            own = [one for one in rows if one.policy == policy and one.announced == announced]
            minutes = np.array([one.minutes for one in own])
            yield (
                f"| {policy} | {said} | {len(own)} | {np.mean(minutes == 0):.1%} "
                f"| {np.median(minutes):g} | {np.percentile(minutes, 90):.1f} "
                f"| {np.median([one.over for one in own]):.2f} "
                f"| {np.mean([one.slack for one in own]):.0%} |"
            )


def _by_part(rows: Sequence[_Judged]) -> Iterator[str]:
    yield f"| Preroll, announced | events | none short | {' | '.join(PARTS)} | ready ÷ oracle |"
    yield "|---|---:|---:|" + "---:|" * (len(PARTS) + 1)
    known = [one for one in rows if one.policy == PREROLL and one.announced]
    for trace in dict.fromkeys(one.trace for one in rows):
        for kind in KINDS:
            own = [one for one in known if (one.trace, one.kind) == (trace, kind)]
            short = np.array([one.short for one in own])
            parts = (f"{int((row > 0).sum())} ({row.sum()} min)" for row in short.T)
            yield (
                f"| {trace}, {kind} ×{KINDS[kind].factor:g} | {len(own)} "
                f"| {np.mean(short.sum(axis=1) == 0):.1%} | {' | '.join(parts)} "
                f"| {np.median([one.over for one in own]):.2f} |"
            )


def _figures(rows: Sequence[_Judged]) -> Iterator[str]:
    own = [one for one in rows if one.policy == PREROLL and one.announced]
    covered = float(np.mean([one.minutes == 0 for one in own]))
    over = float(np.median([one.over for one in own]))
    for words, value, reached in (
        ("none short in 95 % of the announced events", f"{covered:.1%}", covered >= 0.95),
        ("ready ÷ oracle of at most 1.5 at the median", f"{over:.2f}", over <= 1.5),
    ):
        yield f"- asked: {words}: {value}, {'reached' if reached else 'missed'}"
    for words, place in (("short", 0), ("not short", 1)):
        rises = [rise for one in own for rise in one.rises[place]]
        if rises:
            yield (
                f"- {len(rises):,} minutes of the plateau that were {words}: within the lead time "
                f"traffic without the event rose by {np.median(rises) - 1:+.0%} at the median"
            )
