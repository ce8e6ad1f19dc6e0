"""What a backtest found: the forecasts beside what came true, their calibration, their rivals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.backtest.baselines import SEASONAL_NAIVE
from forecaster.backtest.report import BacktestReport, SeriesReport
from forecaster.backtest.scores import score
from forecaster.durations import format_duration
from forecaster.plots.events import EventSpan, add_events
from forecaster.plots.style import (
    OBSERVED,
    OUTLOOK,
    RIVALS,
    add_band,
    add_line,
    dress,
    local_time,
    local_times,
    wide_legend,
)
from forecaster.traffic.history import FloatArray

__all__ = ["backtest_figure"]

_BAND = (0.1, 0.9)
_RIGHT_PANEL = 0.356  # where the lower right panel begins, in the figure's width
_SHOWN_RIVALS = 3


def backtest_figure(
    report: BacktestReport,
    series_id: str | None = None,
    *,
    events: Sequence[EventSpan] = (),
    timezone: str = "UTC",
) -> go.Figure:
    """One series: traffic and its forecasts, calibration, and the WAPE of every origin.

    ``events`` are marked behind the traffic.

    Without ``series_id`` it is the report's first series; KeyError for one that it does not have.
    """
    name = series_id if series_id is not None else next(iter(report.series))
    one = report.series[name]
    titles = (
        f"Forecast a day ahead, and what came true ({timezone})",
        "Calibration",
        f"WAPE of each day ({timezone})",
    )
    fig = make_subplots(
        rows=2,
        cols=2,
        specs=[[{"colspan": 2}, None], [{}, {}]],
        column_widths=[0.3, 0.7],
        row_heights=[0.55, 0.45],
        vertical_spacing=0.17,
        horizontal_spacing=0.08,
        subplot_titles=titles,
    )
    for annotation, left in zip(fig.layout.annotations, (0.0, 0.0, _RIGHT_PANEL), strict=True):
        annotation.update(x=left, xanchor="left", font={"size": 14})
    _add_forecasts(fig, one, timezone)
    last = one.origins[-1]
    ends = last.cutoff + len(last.observed) * last.step
    add_events(fig, events, timezone, shown=(one.origins[0].cutoff, ends))
    _add_calibration(fig, one)
    _add_origins(fig, one, timezone)
    unit = "requests per second"
    if report.unit.label != "rps":
        unit = f"{report.unit.label} per {format_duration(report.step)}"
    fig.update_yaxes(title_text=unit, row=1, col=1)
    dress(fig, f"{name}: day-ahead WAPE {one.scores.wape:.1%}", height=740)
    fig.update_layout(
        margin={"b": 84},
        legend=wide_legend(1.0, 1.005) | {"xanchor": "right"},
        legend2=wide_legend(_RIGHT_PANEL, -0.07) | {"yanchor": "top"},
    )
    return fig


def _add_forecasts(fig: go.Figure, one: SeriesReport, timezone: str) -> None:
    place = {"row": 1, "col": 1}
    parts = [
        pd.date_range(origin.cutoff, periods=len(origin.observed), freq=origin.step)
        for origin in one.origins
    ]
    times = local_times(pd.DatetimeIndex(parts[0].append(parts[1:])), timezone)
    quantiles = one.origins[0].quantiles
    if set(_BAND) <= set(quantiles):
        low, high = (
            _joined(origin.forecasts[quantiles.index(q)] for origin in one.origins) for q in _BAND
        )
        add_band(fig, times, low, high, "forecast, 0.1 to 0.9", **place)
    observed = _joined(origin.observed for origin in one.origins)
    add_line(fig, times, observed, "observed", OBSERVED, 1.0, **place)
    median = _joined(origin.median for origin in one.origins)
    add_line(fig, times, median, "forecast, 0.5", OUTLOOK, 1.6, **place)
    fig.update_yaxes(rangemode="tozero", **place)


def _add_calibration(fig: go.Figure, one: SeriesReport) -> None:
    coverage = one.scores.coverage
    place = {"row": 2, "col": 1}
    fig.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": "#999999", "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
        **place,
    )
    fig.add_scatter(
        x=list(coverage),
        y=list(coverage.values()),
        mode="lines+markers",
        line={"color": OUTLOOK, "width": 1.6},
        marker={"size": 7},
        hovertemplate="quantile %{x}: %{y:.3f} of the steps<extra></extra>",
        showlegend=False,
        **place,
    )
    fig.update_xaxes(title_text="forecast quantile", range=[-0.02, 1.02], dtick=0.25, **place)
    fig.update_yaxes(title_text="share at or below", range=[-0.02, 1.02], dtick=0.25, **place)


def _add_origins(fig: go.Figure, one: SeriesReport, timezone: str) -> None:
    place = {"row": 2, "col": 2}
    scores = [score([origin]) for origin in one.origins]
    cutoffs = [local_time(origin.cutoff, timezone) for origin in one.origins]
    lines = [("outlook", OUTLOOK, [s.wape for s in scores])]
    rivals = _ranked(one)
    for name, colour in zip(rivals, cycle(RIVALS), strict=False):
        lines.append((name, colour, [s.baselines[name].wape for s in scores]))
    for rank, (name, colour, wapes) in enumerate(lines):
        fig.add_scatter(
            x=cutoffs,
            y=wapes,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 1.4 if rank else 2.6},
            marker={"size": 5 if rank else 7},
            hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>",
            legend="legend2",
            visible=True if rank <= _SHOWN_RIVALS else "legendonly",
            zorder=-rank,
            **place,
        )
    fig.update_yaxes(title_text="WAPE", tickformat=".0%", rangemode="tozero", **place)


def _ranked(one: SeriesReport) -> list[str]:
    """The seasonal naive first, then the others from the best on."""
    spoken = {name: rival for name, rival in one.scores.baselines.items() if rival.origins}
    return sorted(spoken, key=lambda name: (name != SEASONAL_NAIVE, spoken[name].wape))


def _joined(parts: Iterable[FloatArray]) -> FloatArray:
    return np.concatenate(list(parts))
