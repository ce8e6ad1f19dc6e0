"""The outlook, and the plan that is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.models.outlook import Outlook
from forecaster.planning import Plan
from forecaster.plots.events import EventSpan, add_events
from forecaster.plots.style import (
    OBSERVED,
    OUTLOOK,
    RISK,
    TARGET,
    TARGET_FILL,
    add_band,
    add_line,
    dress,
    local_time,
    local_times,
    wide_legend,
)
from forecaster.traffic.history import TrafficSeries

__all__ = ["outlook_figure"]


def outlook_figure(
    history: TrafficSeries | None,
    outlook: Outlook,
    *,
    plan: Plan | None = None,
    events: Sequence[EventSpan] = (),
    timezone: str = "UTC",
    tail: timedelta = timedelta(days=2),
    title: str | None = None,
) -> go.Figure:
    """The last ``tail`` of traffic and the outlook; below it, with a plan, the target's steps.

    The band runs from the 0.1 to the 0.9 quantile; clocks are those of ``timezone``. ``history``
    may reach beyond the outlook's start, to show what came true.
    """
    fig = make_subplots(
        rows=2 if plan else 1,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.05,
        row_heights=[0.66, 0.34] if plan else None,
    )
    top = {"row": 1, "col": 1}
    times = local_times(outlook.times, timezone)
    add_band(fig, times, outlook.at(0.1), outlook.at(0.9), "outlook, 0.1 to 0.9", **top)
    recent = _shown(history, outlook, tail)
    if recent:
        when = local_times(recent.times, timezone)
        add_line(fig, when, recent.rate_rps, "observed", OBSERVED, 1.0, **top)
    add_line(fig, times, outlook.at(0.5), "outlook, 0.5", OUTLOOK, 2.0, **top)
    if plan:
        _add_plan(fig, plan, timezone)
    fig.update_yaxes(title_text="requests per second", rangemode="tozero", row=1, col=1)
    fig.update_xaxes(title_text=f"time ({timezone})", row=2 if plan else 1, col=1)
    dress(fig, title or f"{outlook.series_id}: the next {_hours(outlook)} hours", height=600)
    fig.update_layout(hovermode="x unified", legend=wide_legend(0.0, 1.01))
    begin = recent.start if recent else outlook.start
    add_events(fig, events, timezone, shown=(begin, outlook.end), rows=2 if plan else 1)
    if recent:
        start = local_time(outlook.start, timezone)
        fig.add_vline(x=start, line={"color": "#777777", "width": 1, "dash": "dash"})
    return fig


def _add_plan(fig: go.Figure, plan: Plan, timezone: str) -> None:
    outlook, rule = plan.outlook, plan.rule
    times = local_times(outlook.times, timezone)
    name = f"planning quantile, {rule.quantile!r}"
    add_line(fig, times, outlook.at(rule.quantile), name, RISK, 1.3, row=1, col=1)
    fig.add_scatter(
        x=times[: len(plan)],
        y=plan.replicas,
        name="target",
        mode="lines",
        line={"color": TARGET, "width": 2, "shape": "hv"},
        fill="tozeroy",
        fillcolor=TARGET_FILL,
        hovertemplate="%{y} replicas<extra></extra>",
        row=2,
        col=1,
    )
    fig.update_yaxes(title_text="replicas", rangemode="tozero", row=2, col=1)


def _shown(
    history: TrafficSeries | None, outlook: Outlook, tail: timedelta
) -> TrafficSeries | None:
    if history is None:
        return None
    until = history.before(outlook.end)
    return until.since(outlook.start - tail) if until else None


def _hours(outlook: Outlook) -> int:
    return round((outlook.end - outlook.start) / timedelta(hours=1))
