"""What an outlook has to beat: the value one week earlier, and whatever else is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.models.zoo import forecast_candidate, zoo_models
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "SEASONAL_NAIVE",
    "Baseline",
    "all_baselines",
    "choose_baselines",
    "seasonal_naive",
    "seasonal_steps",
]

SEASONAL_NAIVE = "seasonal_naive"

Baseline = Callable[[TrafficSeries, int], FloatArray]
"""From what is known at the cutoff to traffic per second for so many steps from there on."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def all_baselines(timezone: str = "UTC") -> dict[str, Baseline]:
    """Every baseline by name: the seasonal naive one first, then each model of the zoo.

    The zoo counts its days by the wall clock of ``timezone``, as the outlook does.

    Takes a second or two the first time: the zoo's library is imported.
    """
    zoo = {name: partial(forecast_candidate, name, timezone=timezone) for name in zoo_models()}
    return {SEASONAL_NAIVE: seasonal_naive, **zoo}


def choose_baselines(text: str, known: Mapping[str, Baseline]) -> dict[str, Baseline]:
    """The baselines that ``text`` names: ``all``, ``none``, or names separated by commas.

    ValueError, with the names that there are, for any other; upper and lower case are the same.
    """
    if text == "all":
        return dict(known)
    if text == "none":
        return {}
    names = {name.lower(): name for name in known}
    chosen = {}
    for part in (part.strip() for part in text.split(",")):
        if part.lower() not in names:
            raise ValueError(
                f"{part!r} is not a baseline; there are {', '.join(known)}, and all and none"
            )
        name = names[part.lower()]
        chosen[name] = known[name]
    return chosen


def seasonal_steps(span: timedelta, step: timedelta) -> int:
    """The season in steps: a week, or a day where ``span`` is less than two weeks.

    >>> seasonal_steps(timedelta(days=20), timedelta(hours=1))
    168
    """
    return _in_steps(_WEEK if span >= 2 * _WEEK else _DAY, step)


def seasonal_naive(known: TrafficSeries, steps: int) -> FloatArray:
    """Traffic one season earlier, in requests per second, shape (steps,).

    The season is :func:`seasonal_steps` of the known span. Where that value is a gap or lies in the
    horizon itself, the most recent value of the same phase that was observed stands in: two
    seasons earlier, three …, then one day, two …, at last the last value observed.

    Raises HistoryTooShort where nothing was observed.
    """
    values = known.rate_rps
    bounds = known.observed_bounds()
    if bounds is None:
        raise HistoryTooShort(f"{known.series_id}: no traffic was observed before {known.end}")
    forecast = np.full(steps, np.nan)
    for season in dict.fromkeys(
        [seasonal_steps(known.span, known.step), _in_steps(_DAY, known.step)]
    ):
        lag = season
        while np.isnan(forecast).any() and lag <= len(values) + steps:
            source = len(values) + np.arange(steps) - lag
            usable = np.isnan(forecast) & (source >= 0) & (source < len(values))
            forecast[usable] = values[source[usable]]
            lag += season
    return np.where(np.isnan(forecast), values[bounds[1] - 1], forecast)


def _in_steps(period: timedelta, step: timedelta) -> int:
    return max(1, round(period / step))
