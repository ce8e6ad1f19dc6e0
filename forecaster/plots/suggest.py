"""Peaks that no known event explains: over the whole history, and the largest closely."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.events.event import Event
from forecaster.events.suggest import Suggestion
from forecaster.events.suggest_peaks import ExpectedTraffic
from forecaster.plots.events import EventSpan, add_events
from forecaster.plots.style import (
    OBSERVED,
    OUTLOOK,
    add_line,
    dress,
    local_times,
    wide_legend,
)
from forecaster.plots.thin import MOST_STRETCHES, thin_rows
from forecaster.traffic.history import TrafficSeries

__all__ = ["suggested_figure", "suggested_spans"]

_AROUND = timedelta(hours=3)


def suggested_spans(suggestions: Sequence[Suggestion]) -> tuple[EventSpan, ...]:
    """Each sighting with the kind it was given, as it was seen."""
    spans = [
        EventSpan(peak.start, peak.end, one.kind) for one in suggestions for peak in one.sightings
    ]
    return tuple(sorted(spans, key=lambda span: span.start))


def suggested_figure(
    series_id: str,
    traffic: ExpectedTraffic,
    suggestions: Sequence[Suggestion],
    timezone: str,
    closely: Suggestion | None = None,
) -> go.Figure:
    """Traffic and what was expected of it, requests per second, with the suggestions as bands.

    With ``closely`` it is the time around that one's largest sighting.
    """
    shown, title = traffic, f"{series_id}: peaks that no known event explains"
    if closely is not None:
        top = max(closely.sightings, key=lambda one: one.excess)
        shown = _around(traffic, top.start - _AROUND, top.end + _AROUND)
        title = _words(closely)
    series = TrafficSeries(series_id, shown.start, shown.step, shown.rate_rps)
    times = local_times(series.times, timezone)
    fig = make_subplots(rows=1, cols=1)
    for values, name, colour, width in (
        (shown.expected_rps, "expected a day ahead", OUTLOOK, 1.6),
        (shown.rate_rps, "traffic", OBSERVED, 1.1),
    ):
        rows = thin_rows(values, MOST_STRETCHES)
        add_line(fig, times[rows], values[rows], name, colour, width)
    spans = suggested_spans(suggestions)
    add_events(fig, spans, timezone, shown=(series.start, series.end), name="suggested")
    fig.update_yaxes(title_text="requests per second", rangemode="tozero")
    fig.update_xaxes(title_text=f"time ({timezone})")
    dress(fig, title, height=420 if closely is None else 340)
    fig.update_layout(legend=wide_legend(0.0, 1.01))
    return fig


def _around(traffic: ExpectedTraffic, since: datetime, until: datetime) -> ExpectedTraffic:
    first = max(0, (since - traffic.start) // traffic.step)
    last = min(len(traffic.rate_rps), (until - traffic.start) // traffic.step)
    part = slice(first, last)
    return ExpectedTraffic(
        traffic.at(first),
        traffic.step,
        traffic.rate_rps[part],
        traffic.expected_rps[part],
        traffic.explained[part],
    )


def _words(one: Suggestion) -> str:
    if isinstance(one.entry, Event):
        return f"{one.kind}: ×{one.uplift:.2f}"
    return f"{one.kind}: ×{one.uplift:.2f}, seen {len(one.sightings)} of {one.occasions} times"
