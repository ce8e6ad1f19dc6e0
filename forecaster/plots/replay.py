"""A replay: traffic on top, which policy ran how many replicas, and how many were missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.report import InputUnit
from forecaster.backtest.span import ReplaySpan
from forecaster.durations import format_duration
from forecaster.plots.events import EventSpan, add_events
from forecaster.plots.policies import policy_look
from forecaster.plots.style import (
    OBSERVED,
    OUTLOOK,
    RISK,
    add_band,
    dress,
    local_times,
    wide_legend,
)
from forecaster.plots.thin import MOST_STRETCHES, stretch_extremes, thin_rows
from forecaster.traffic.history import FloatArray

__all__ = ["ForecastLines", "replay_figure", "traffic_words"]

_SHOWN = ("preroll", "hpa")
_RPS = InputUnit()


@dataclass(frozen=True, eq=False)
class ForecastLines:
    """What was forecast over the steps of a span, traffic per second, each of shape (steps,).

    ``band`` are the outlook's quantiles ``band_levels``, ``median_rps`` its 0.5, both made a day
    ahead; ``lead_peak_rps`` is the lead peak's ``quantile``. NaN where nothing was said.
    """

    quantile: float
    lead_peak_rps: FloatArray | None = None
    median_rps: FloatArray | None = None
    band: tuple[FloatArray, FloatArray] | None = None
    band_levels: tuple[float, float] = (0.1, 0.9)


def traffic_words(unit: InputUnit, step: timedelta) -> str:
    """The axis of traffic in the input's unit.

    >>> traffic_words(InputUnit("requests", 60.0), timedelta(minutes=1))
    'requests per 1m'
    """
    if unit.label == "rps":
        return "requests per second"
    return f"{unit.label} per {format_duration(step)}"


def replay_figure(
    span: ReplaySpan,
    settings: ReplaySettings,
    replays: Mapping[str, PolicyReplay],
    forecast: ForecastLines | None = None,
    *,
    within: tuple[datetime, datetime] | None = None,
    events: Sequence[EventSpan] = (),
    unit: InputUnit = _RPS,
    timezone: str = "UTC",
    title: str | None = None,
    stretches: int = MOST_STRETCHES,
) -> go.Figure:
    """Three panels with one time axis: traffic and forecasts, ready replicas, missing replicas.

    Of the policies Preroll and the HPA are shown, the others wait in the legend. A long span is
    drawn by the lowest and highest value of each of ``stretches``; ``within`` shows a part of it,
    up to its second instant. ``events`` are bands behind all three. Clocks are those of
    ``timezone``. An outlook that is far wider than all traffic is cut off above it.
    """
    drawn = _Drawn(span, settings, unit.per_rps, timezone, within, stretches)
    fig = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.045, row_heights=[0.42, 0.38, 0.2]
    )
    _add_traffic(fig, drawn, forecast)
    _add_replicas(fig, drawn, replays)
    _add_missing(fig, drawn, replays)
    top = _highest(drawn, forecast)
    fig.update_yaxes(title_text=traffic_words(unit, span.series.step), row=1, col=1)
    fig.update_yaxes(title_text="ready replicas", row=2, col=1)
    fig.update_yaxes(title_text="missing", row=3, col=1)
    fig.update_yaxes(rangemode="tozero", fixedrange=True, automargin=True)
    if top > 0:
        fig.update_yaxes(range=[0, 1.08 * top], row=1, col=1)
    fig.update_xaxes(title_text=f"time ({timezone})", row=3, col=1)
    dress(fig, title or f"{span.series.series_id}: who ran how many replicas", height=680)
    add_events(fig, events, timezone, shown=drawn.shown, rows=3)
    fig.update_layout(
        hovermode="x", legend=wide_legend(0.0, 1.005), margin={"t": 128, "l": 74}, dragmode="zoom"
    )
    return fig


class _Drawn:
    """The part of the span that is drawn, and lines thinned for it."""

    def __init__(
        self,
        span: ReplaySpan,
        settings: ReplaySettings,
        per_rps: float,
        timezone: str,
        within: tuple[datetime, datetime] | None,
        stretches: int,
    ) -> None:
        step = span.series.step
        begin = span.series.start + span.first * step
        first, last = 0, len(span)
        if within is not None:
            first = min(max(0, (within[0] - begin) // step), len(span) - 1)
            last = min(len(span), max(first + 1, -((begin - within[1]) // step)))
        self.rows = slice(first, last)
        self.shown = (begin + first * step, begin + last * step)
        self.per_rps = per_rps
        self.stretches = stretches
        self.traffic = span.rate_rps
        needed = settings.oracle_replicas(span).astype(np.float64)
        self.needed = np.where(span.observed, needed, np.nan)
        stamps = pd.date_range(begin + first * step, periods=last - first, freq=step)
        whole_minutes = step % timedelta(minutes=1) == timedelta(0)
        exact = "%Y-%m-%dT%H:%M" if whole_minutes else "%Y-%m-%dT%H:%M:%S"
        self.times = local_times(stamps, timezone).strftime(exact)

    def line(
        self, fig: go.Figure, values: FloatArray, row: int, label: str, says: str, **look: object
    ) -> None:
        """One line; ``look`` is plotly's, ``says`` what a reader sees over it."""
        shown = values[self.rows]
        rows = thin_rows(shown, self.stretches)
        fig.add_scatter(
            x=self.times[rows],
            y=shown[rows].astype(np.float32),
            name=label,
            mode="lines",
            connectgaps=False,
            hovertemplate=f"{says}<extra></extra>",
            row=row,
            col=1,
            **look,
        )


def _add_traffic(fig: go.Figure, drawn: _Drawn, forecast: ForecastLines | None) -> None:
    per = drawn.per_rps
    if forecast is not None and forecast.band is not None:
        low, high = (edge[drawn.rows] * per for edge in forecast.band)
        rows, low, high = stretch_extremes(low, high, drawn.stretches)
        name = "outlook, {:g} to {:g}".format(*forecast.band_levels)
        add_band(fig, drawn.times[rows], low, high, name, row=1, col=1)
    if forecast is not None and forecast.median_rps is not None:
        line = {"color": OUTLOOK, "width": 1.3}
        says = "%{y:,.4~g} outlook"
        drawn.line(fig, forecast.median_rps * per, 1, "outlook, 0.5", says, line=line)
    if forecast is not None and forecast.lead_peak_rps is not None:
        name = f"lead peak, {forecast.quantile:g} quantile"
        line = {"color": RISK, "width": 1.1}
        drawn.line(
            fig,
            forecast.lead_peak_rps * per,
            1,
            name,
            "%{y:,.4~g} lead peak",
            line=line,
            legendrank=2,
        )
    line = {"color": OBSERVED, "width": 1.1}
    drawn.line(
        fig, drawn.traffic * per, 1, "traffic", "%{y:,.4~g} traffic", line=line, legendrank=1
    )


def _highest(drawn: _Drawn, forecast: ForecastLines | None) -> float:
    """The highest of the lines of traffic, the band left aside; 0 where there is none."""
    lines = [drawn.traffic]
    if forecast is not None:
        lines += [one for one in (forecast.lead_peak_rps, forecast.median_rps) if one is not None]
    shown = np.concatenate([line[drawn.rows] for line in lines])
    return float(np.nanmax(shown, initial=0.0)) * drawn.per_rps


def _add_replicas(fig: go.Figure, drawn: _Drawn, replays: Mapping[str, PolicyReplay]) -> None:
    needed = {"color": "#7a7a7a", "width": 1, "shape": "hv"}
    drawn.line(fig, drawn.needed, 2, "needed", "%{y:,.4~g} needed", line=needed)
    for name in _in_order(replays):
        look = policy_look(name)
        drawn.line(
            fig,
            replays[name].ready,
            2,
            look.label,
            f"%{{y:,.4~g}} {look.label}",
            line={"color": look.colour, "width": 1.7 if name in _SHOWN else 1.2, "shape": "hv"},
            legendgroup=name,
            legendrank=_rank(name),
            visible=True if name in _SHOWN else "legendonly",
        )


def _add_missing(fig: go.Figure, drawn: _Drawn, replays: Mapping[str, PolicyReplay]) -> None:
    for name in _in_order(replays):
        look = policy_look(name)
        drawn.line(
            fig,
            np.nan_to_num(replays[name].short),
            3,
            look.label,
            f"%{{y:,.3~g}} missing, {look.label}",
            line={"color": look.colour, "width": 1.4, "shape": "hv"},
            fill="tozeroy",
            legendgroup=name,
            showlegend=False,
            visible=True if name in _SHOWN else "legendonly",
        )


def _rank(name: str) -> int:
    """Preroll and the HPA stand in the legend before the others."""
    return 1001 + (_SHOWN.index(name) if name in _SHOWN else len(_SHOWN))


def _in_order(replays: Mapping[str, PolicyReplay]) -> list[str]:
    """What lies on top comes last: Preroll over the HPA over all others; never the oracle."""
    names = [name for name in replays if name != "oracle"]
    return sorted(names, key=lambda name: ("hpa", "preroll").index(name) if name in _SHOWN else -1)
