"""What a calendar is worth: the bundled tournament with its matches known, and without."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing import get_context

import numpy as np

from forecaster.backtest.frontier import build_frontier
from forecaster.backtest.losses import coverage, wape
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_tasks import peak_tasks
from forecaster.backtest.policies import Preroll
from forecaster.backtest.replay_settings import ReplaySettings, auto_capacity
from forecaster.backtest.rolling_origin import RollingOrigin, hold_out
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.sweep import sweep_all
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.models import OutlookConfig, train_outlook
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.event_training import train_with_events
from forecaster.programme.reading import read_calendar
from forecaster.traffic.history import FloatArray, TrafficSeries
from forecaster.traffic.sample import sample_history, sample_matches_path

__all__ = ["measure_day_ahead", "measure_slack"]

TEST = timedelta(days=14)
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=180)  # around a kick-off
LEADS = (timedelta(minutes=5), timedelta(minutes=10))
QUANTILES = (0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, eq=False)
class _Day:
    """One day of the test: what came, and the (0.5, 0.9) quantiles without and with matches."""

    actual: FloatArray
    plain: FloatArray
    known: FloatArray
    window: np.ndarray


def _calendar() -> Calendar:
    return read_calendar(sample_matches_path()).calendar


def measure_day_ahead(jobs: int = 2) -> str:
    """WAPE and coverage over the match windows of the last 14 days, an origin a day."""
    series = next(iter(sample_history()))
    cutoffs = hold_out(series, RollingOrigin(test=TEST)).cutoffs
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        days = list(pool.map(_day, [(series, cutoff) for cutoff in cutoffs]))
    window = np.concatenate([one.window for one in days])
    actual = np.concatenate([one.actual for one in days])[window]
    plain = np.hstack([one.plain for one in days])[:, window]
    known = np.hstack([one.known for one in days])[:, window]
    rows = [("without the calendar", plain), ("with it", known)]
    lines = ["| outlook | WAPE | coverage of 0.9 |", "|---|---:|---:|"]
    for name, rates in rows:
        error = wape(actual, rates[0])
        lines.append(f"| {name} | {error:.3f} | {coverage(actual, rates[1]):.3f} |")
    ratio = wape(actual, known[0]) / wape(actual, plain[0])
    return "\n".join([*lines, "", f"- with ÷ without: {ratio:.3f}, {len(actual):,} minutes"])


def _day(asked: tuple[TrafficSeries, datetime]) -> _Day:
    series, cutoff = asked
    known = series.before(cutoff)
    steps = round(timedelta(days=1) / series.step)
    actual = series.rate_rps[len(known) : len(known) + steps]
    config = OutlookConfig((0.5, 0.9), horizon=timedelta(days=1))
    calendar = _calendar()
    trained = train_with_events(known, cutoff, config, calendar)
    lifted = outlook_with_events(trained.outlook, trained.uplift, trained.calendar)
    times = cutoff.timestamp() + series.step_seconds * np.arange(len(actual))
    window = np.zeros(len(actual), dtype=bool)
    for event in calendar.events:
        first = (event.start - BEFORE).timestamp()
        last = (event.start + AFTER).timestamp()
        window |= (times >= first) & (times < last)
    without = train_outlook(known, cutoff, config).outlook.rate_rps
    return _Day(actual, without[:, : len(actual)], lifted.rate_rps[:, : len(actual)], window)


def measure_slack(leads: Sequence[timedelta] = LEADS, jobs: int = 2) -> str:
    """The lead peak's slack ratio to the best HPA, without the calendar and with it."""
    asked = [(lead, known) for lead in leads for known in (False, True)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = dict(zip(asked, pool.map(_slack, asked), strict=True))
    lines = [
        "| lead | Preroll ÷ HPA without | with | with ÷ without | at 0.5 % unserved |",
        "|---:|---:|---:|---:|---:|",
    ]
    for lead in leads:
        (plain, plain_half), (known, known_half) = found[lead, False], found[lead, True]
        lines.append(
            f"| {round(lead / timedelta(minutes=1))} min | {plain:.3f} | {known:.3f} "
            f"| {known / plain:.3f} | {known_half / plain_half:.3f} |"
        )
    return "\n".join(lines)


def _slack(asked: tuple[timedelta, bool]) -> tuple[float, float]:
    """The mean ratio over the targets, and the slack at 0.5 % unserved."""
    lead, known = asked
    series = next(iter(sample_history()))
    calendar = _calendar() if known else EMPTY_CALENDAR
    steps = max(1, -(-lead // series.step))
    tasks = [
        replace(one, calendar=calendar)
        for one in peak_tasks(series, series.end - TEST, steps, QUANTILES)
    ]
    decisions = decide(series, [work_origin(one) for one in tasks], steps, QUANTILES)
    span = ReplaySpan(series, decisions.start)
    settings = ReplaySettings(auto_capacity(span), lead, tolerance_ratio=0.0)
    floors = [Preroll(q, decisions.served(q)) for q in QUANTILES]
    frontier = build_frontier(sweep_all(span, floors, settings))
    half = next(row for row in frontier.rows if row.unserved_ratio == 0.005)
    return frontier.mean_ratio_to_hpa() or np.nan, half.slack("preroll") or np.nan
