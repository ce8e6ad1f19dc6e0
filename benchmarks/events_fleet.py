"""What a year of events costs a large fleet: every plan anew, one event more, and a refresh."""

from __future__ import annotations

import dataclasses
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np
from scipy.special import ndtri

from benchmarks.events_refresh import measure_refresh
from forecaster.events import Calendar, Event, Selector
from forecaster.events.course import KNOTS
from forecaster.events.effects import effects_between
from forecaster.events.event_curve import UpliftExample
from forecaster.events.uplift import UpliftModel
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.planning import ScalingRule
from forecaster.planning.plan import build_plan
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import StoredUplift
from forecaster.traffic.sample import sample_history
from forecaster.worker.known_ahead import KnownAhead
from forecaster.worker.plans import Plans

__all__ = ["measure_events_fleet"]

NOW = datetime(2026, 6, 11, 18, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WORKLOADS, NAMESPACES, EVENTS, EXAMPLES = 1000, 10, 10_000, 60
TIERS = ("edge", "core", "page", "search")
LEARNED, DECLARED = ("football", "live-show", "launch"), {"sale": 1.6, "maintenance": 0.5}
ROUNDS = 3


@dataclass
class _Took:
    """CPU seconds of each step, of the whole fleet."""

    select: float = 0.0
    lift: float = 0.0
    plan: float = 0.0


def measure_events_fleet() -> str:
    """CPU seconds of planning the fleet by a year of events, of one change, and of a refresh."""
    fleet = _fleet()
    year = Calendar(tuple(_year()))
    plans, ahead = _plans(fleet), KnownAhead()
    ahead.take(year, {})
    outlooks = {one.outlook.series_id: one.outlook for one in plans.all()}
    models = {one.workload: _model(place) for place, one in enumerate(fleet.workloads)}
    concerned = [
        effects_between(
            models[one.workload],
            ahead.part(one, outlooks[one.workload].start, outlooks[one.workload].end),
            *(NOW, NOW, MINUTE, len(outlooks[one.workload])),
        ).curves
        for one in fleet.workloads
    ]
    steps = dict(_steps(fleet, outlooks, models, year))
    rows = [("every plan from scratch", sum(steps.values())), *steps.items()]
    for words, selector, count in (
        ("one event more, for one workload", Selector(workloads=("ns-3/w-123",)), 1),
        ("one event more, for all", Selector(), WORKLOADS),
    ):
        more = Event(NOW + 5 * HOUR, NOW + 7 * HOUR, "football", event_id="x", selector=selector)
        longer = Calendar((*year.events, more))
        rows.append((words, _median(lambda to=longer, n=count: _changed(plans, year, to, n))))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = np.array([len(one) for one in concerned])
    refreshed = measure_refresh(fleet, year, NOW)
    rows.append(("one refresh, models that know events", refreshed.seconds))
    rows.append(("… that looks at every calendar anew", refreshed.anew_seconds))
    lines = ["| what | CPU s |", "|---|---:|", *(f"| {said} | {took:.3f} |" for said, took in rows)]
    lines += [
        "",
        f"- {WORKLOADS:,} workloads, {EVENTS:,} events in a year, {EXAMPLES} past ones a workload",
        f"- events that lift an outlook of two days: median {np.median(counts):g}, "
        f"{counts.min()} to {counts.max()}",
        f"- events that a refresh looks at for a workload: median {np.median(refreshed.events):g}, "
        f"{refreshed.events.min()} to {refreshed.events.max()}; onsets told "
        f"{refreshed.by_onset} of its {WORKLOADS * refreshed.rounds:,} lead peaks",
        f"- resident memory before the refresh, at the most: {memory:,.0f} MiB",
    ]
    return "\n".join(lines)


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(ROUNDS))


def _timed(plans: Plans, calendar: Calendar, expected: int) -> float:
    began = time.process_time()
    changed = plans.take_calendar(calendar, NOW)
    took = time.process_time() - began
    if len(changed) != expected:
        raise AssertionError(f"{len(changed)} plans are others now, not {expected}")
    return took


def _changed(plans: Plans, year: Calendar, to: Calendar, expected: int) -> float:
    plans.take_calendar(year, NOW)
    return _timed(plans, dataclasses.replace(to), expected)


def _steps(
    fleet: Fleet, outlooks: dict[str, Outlook], models: dict[str, UpliftModel], year: Calendar
) -> Iterator[tuple[str, float]]:
    """What each step takes, with models that have told nothing yet."""
    rounds = []
    for _ in range(ROUNDS):
        took, ahead = _Took(), KnownAhead()
        ahead.take(dataclasses.replace(year), {})
        for one in fleet.workloads:
            outlook, began = outlooks[one.workload], time.process_time()
            part = ahead.part(one, outlook.start, outlook.end)
            selected = time.process_time()
            fresh = UpliftModel(models[one.workload].examples, "Europe/Paris")
            lifted = outlook_with_events(outlook, fresh, part)
            done = time.process_time()
            build_plan(lifted, one.rule)
            took.select += selected - began
            took.lift += done - selected
            took.plan += time.process_time() - done
        rounds.append(took)
    for name, said in (("select", "… selecting"), ("lift", "… lifting"), ("plan", "… planning")):
        yield said, median(getattr(one, name) for one in rounds)


def _fleet() -> Fleet:
    rule = ScalingRule(capacity_rps=20.0, max_replicas=10_000)
    workloads = tuple(
        WorkloadSettings(
            f"ns-{place % NAMESPACES}", f"w-{place}", rule, {"tier": TIERS[place // 10 % 4]}
        )
        for place in range(WORKLOADS)
    )
    return Fleet(workloads, step=MINUTE)


def _year() -> Iterator[Event]:
    """Of ten events one concerns all, some a namespace, some a label, most a single workload."""
    random = np.random.default_rng(7)
    kinds = (*LEARNED, *DECLARED)
    for place in range(EVENTS):
        start = NOW - 180 * DAY + timedelta(minutes=int(random.integers(365 * 1440)))
        number, lot = int(random.integers(WORKLOADS)), random.random()
        if lot < 0.1:
            selector = Selector()
        elif lot < 0.35:
            selector = Selector(namespaces=(f"ns-{number % NAMESPACES}",))
        elif lot < 0.55:
            selector = Selector(labels=(("tier", TIERS[number % 4]),))
        else:
            selector = Selector(workloads=(f"ns-{number % NAMESPACES}/w-{number}",))
        kind = kinds[int(random.integers(len(kinds)))]
        yield Event(
            start,
            start + timedelta(minutes=15 * int(random.integers(2, 17))),
            kind,
            importance=float(random.integers(1, 6)),
            event_id=str(place),
            selector=selector,
            uplift=DECLARED.get(kind),
        )


def _plans(fleet: Fleet) -> Plans:
    """The bundled trace's last days as an outlook of each workload, at a level of its own."""
    plans = Plans(fleet, lambda _: ())
    minutes = np.nan_to_num(next(iter(sample_history())).rate_rps[-2885:]) + 0.1
    for place, one in enumerate(fleet.workloads):
        base = np.roll(minutes, 7 * place) * (1 + place % 13)
        rates = np.vstack([base * np.exp(0.3 * ndtri(q)) for q in DEFAULT_QUANTILES])
        outlook = Outlook(one.workload, NOW, NOW, MINUTE, DEFAULT_QUANTILES, rates, "given")
        plans.take_outlook(outlook, (), StoredUplift.of(one.workload, NOW, _model(place)))
    return plans


def _model(seed: int) -> UpliftModel:
    random = np.random.default_rng(seed)
    bump = np.sin(np.linspace(0, np.pi, KNOTS))
    examples = [
        UpliftExample(
            NOW - timedelta(hours=float(hours)),
            timedelta(minutes=15 * int(random.integers(2, 17))),
            LEARNED[int(random.integers(len(LEARNED)))],
            float(random.integers(1, 6)),
            "",
            bump * random.uniform(0.2, 1.2) + random.normal(0, 0.1, KNOTS),
        )
        for hours in np.sort(random.uniform(24, 84 * 24, EXAMPLES))[::-1]
    ]
    return UpliftModel(tuple(examples), "Europe/Paris")
