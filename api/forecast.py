"""The outlook and the plan as columns, and the query that chooses from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from api.instants import INSTANT_EXAMPLE, instant_in
from api.schemas import EventBand, ForecastView, ProblemView
from forecaster.planning.capacity import IntArray
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import WorkloadState

__all__ = ["ForecastQuery", "ForecastQueryError", "forecast_view", "parse_query", "span_of"]

_MEDIAN = 0.5
_MOST_QUANTILES = 20
_RANGE_EXAMPLE = f"from={INSTANT_EXAMPLE}&to=2026-05-01T23:00:00Z"
_QUANTILES_EXAMPLE = "0.5,0.98"


class ForecastQueryError(ValueError):
    """Parameters that cannot be used; lists every problem, by field."""

    def __init__(self, problems: Sequence[ProblemView]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(f"{one.field}: {one.message}, for example {one.example}" for one in problems)
        )


@dataclass(frozen=True)
class ForecastQuery:
    """Which quantiles, and the steps from ``first`` up to but not including ``last``."""

    quantiles: tuple[float, ...]
    first: int
    last: int


def parse_query(
    plan: Plan, quantiles: str | None, start: str | None, end: str | None
) -> ForecastQuery:
    """What the parameters ``quantiles``, ``from`` and ``to`` choose from a plan.

    Raises ForecastQueryError with all that is wrong and an example for each field.
    """
    problems: list[ProblemView] = []
    outlook = plan.outlook
    chosen = _quantiles(plan, quantiles, problems)
    since = instant_in("from", start, problems)
    until = instant_in("to", end, problems)
    if since is not None and until is not None and since >= until:
        problems.append(
            ProblemView(
                field="to",
                message=f"{end} is not later than from, {start}",
                example=_RANGE_EXAMPLE,
            )
        )
    if problems:
        raise ForecastQueryError(problems)
    first = 0 if since is None else outlook.index_of(since)
    last = len(outlook) if until is None else -((outlook.start - until) // outlook.step)
    return ForecastQuery(chosen, min(max(first, 0), len(outlook)), min(max(last, 0), len(outlook)))


def span_of(plan: Plan, query: ForecastQuery) -> tuple[datetime, datetime]:
    """From the start of the first chosen step to the end of the last one."""
    start, step = plan.outlook.start, plan.outlook.step
    return start + query.first * step, start + query.last * step


def forecast_view(
    state: WorkloadState, plan: Plan, query: ForecastQuery, events: Sequence[EventBand] = ()
) -> ForecastView:
    """The chosen quantiles and steps of a plan and its outlook, and the events within them."""
    outlook, steps = plan.outlook, slice(query.first, query.last)
    rates = {repr(q): outlook.at(q)[steps].tolist() for q in query.quantiles}
    return ForecastView(
        namespace=state.namespace,
        name=state.name,
        mode=state.rule.mode,
        cutoff=outlook.cutoff,
        step_seconds=outlook.step.total_seconds(),
        model=outlook.model,
        reasons=list(outlook.reasons),
        capacity_rps=plan.rule.capacity_rps,
        quantile=plan.rule.quantile,
        plan_start=plan.start,
        plan_end=plan.end,
        timestamps=_stamps(plan, steps),
        quantiles=rates,
        needed=_padded(plan.needed, query),
        replicas=_padded(plan.replicas, query),
        events=list(events),
    )


def _stamps(plan: Plan, steps: slice) -> list[str]:
    whole_seconds = plan.outlook.step % timedelta(seconds=1) == timedelta(0)
    unit: Literal["s", "ms"] = "s" if whole_seconds and plan.start.microsecond == 0 else "ms"
    times: NDArray[np.datetime64] = (
        plan.outlook.times[steps].tz_localize(None).to_numpy().astype(f"datetime64[{unit}]")
    )
    stamps: list[str] = np.datetime_as_string(times, unit=unit, timezone="UTC").tolist()
    return stamps


def _padded(column: IntArray, query: ForecastQuery) -> list[int | None]:
    values: list[int | None] = column[query.first : query.last].tolist()
    return values + [None] * (query.last - query.first - len(values))


def _quantiles(plan: Plan, text: str | None, problems: list[ProblemView]) -> tuple[float, ...]:
    known = plan.outlook.quantiles
    if text is None:
        wanted = {_MEDIAN, plan.rule.quantile}
        return tuple(sorted(q for q in wanted if known[0] <= q <= known[-1]))
    chosen: dict[float, None] = {}
    for part in text.split(","):
        try:
            quantile = float(part)
        except ValueError:
            problems.append(_bad_quantiles(f"{part[:40]!r} is not a number"))
            return ()
        if not known[0] <= quantile <= known[-1]:
            problems.append(
                _bad_quantiles(f"{part[:40]} is outside of the outlook's {known[0]} to {known[-1]}")
            )
            return ()
        chosen[quantile] = None
    if len(chosen) > _MOST_QUANTILES:
        problems.append(_bad_quantiles(f"{len(chosen)} are more than {_MOST_QUANTILES}"))
    return tuple(chosen)


def _bad_quantiles(message: str) -> ProblemView:
    return ProblemView(field="quantiles", message=message, example=_QUANTILES_EXAMPLE)
