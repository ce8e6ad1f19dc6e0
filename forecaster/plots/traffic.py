"""Traffic as it was, and the events within it."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.backtest.report import InputUnit
from forecaster.plots.events import EventSpan, add_events
from forecaster.plots.replay import traffic_words
from forecaster.plots.style import OBSERVED, add_line, dress, local_times
from forecaster.plots.thin import MOST_STRETCHES, thin_rows
from forecaster.traffic.history import TrafficSeries

__all__ = ["traffic_figure"]

_RPS = InputUnit()


def traffic_figure(
    series: TrafficSeries,
    *,
    events: Sequence[EventSpan] = (),
    unit: InputUnit = _RPS,
    timezone: str = "UTC",
    title: str | None = None,
    stretches: int = MOST_STRETCHES,
) -> go.Figure:
    """One series; a long one by the lowest and highest value of each of ``stretches``.

    Gaps stay gaps. Clocks are those of ``timezone``.
    """
    values = series.rate_rps * unit.per_rps
    rows = thin_rows(values, stretches)
    fig = make_subplots(rows=1, cols=1)
    times = local_times(series.times, timezone)[rows]
    add_line(fig, times, values[rows], "traffic", OBSERVED, 1.1)
    add_events(fig, events, timezone, shown=(series.start, series.end))
    fig.update_yaxes(title_text=traffic_words(unit, series.step), rangemode="tozero")
    fig.update_xaxes(title_text=f"time ({timezone})")
    dress(fig, title or series.series_id, height=380)
    fig.update_layout(margin={"t": 60})
    return fig
