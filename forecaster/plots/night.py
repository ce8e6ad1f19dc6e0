"""One night again: traffic on top, and below it what each policy ran."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecaster.backtest.night import NightReplay
from forecaster.backtest.replay import PolicyReplay
from forecaster.plots.style import (
    OBSERVED,
    RISK,
    RIVALS,
    TARGET,
    add_line,
    dress,
    local_times,
    wide_legend,
)
from forecaster.traffic.history import FloatArray

__all__ = ["night_figure"]

_SHORT = "rgba(213, 94, 0, 0.45)"
_NEEDED = "#7a7a7a"
_TRAFFIC_HEIGHT, _POLICY_HEIGHT, _AROUND = 250, 190, 186


def night_figure(replay: NightReplay, *, title: str | None = None) -> go.Figure:
    """Traffic with the lead peak's quantile, and a panel of replicas for each policy that ran.

    In a panel are the replicas that were needed, asked for and ready, the mean of each step; where
    too few were ready the difference is shaded. Clocks are those of the night's ``timezone``. The
    oracle has no panel of its own beside others, as it is what was needed.
    """
    night = replay.night
    shown = [one for one in replay.policies if one.name != "oracle"] or [replay.oracle]
    heights = [_TRAFFIC_HEIGHT, *[_POLICY_HEIGHT] * len(shown)]
    fig = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=36 / sum(heights),
        row_heights=heights,
        subplot_titles=["", *(_panel_title(one) for one in shown)],
    )
    for annotation in fig.layout.annotations:
        annotation.update(x=0.0, xanchor="left", font={"size": 13})
    stamps = pd.date_range(night.start, periods=len(replay.span) + 1, freq=night.series.step)
    times = local_times(stamps, night.timezone)
    _add_traffic(fig, replay, times)
    colours = cycle(RIVALS)
    for row, one in enumerate(shown, start=2):
        colour = TARGET if one.name == "preroll" else next(colours)
        _add_policy(fig, replay, one, times, colour, row)
    fig.update_xaxes(title_text=f"time ({night.timezone})", row=len(heights), col=1)
    began = times[0]
    dress(
        fig,
        title or f"{night.series.series_id}: {began:%a} {began.day} {began:%b %Y}",
        height=sum(heights) + _AROUND,
    )
    # Room for a legend of three lines, as a phone has it.
    fig.update_layout(hovermode="x unified", margin={"t": 128}, legend=wide_legend(0.0, 1.01))
    return fig


def _panel_title(one: PolicyReplay) -> str:
    measures = one.measures
    return (
        f"{one.name}: {measures.unserved_ratio:.2%} unserved, "
        f"{measures.replica_hours:,.4g} replica-hours"
    )


def _add_traffic(fig: go.Figure, replay: NightReplay, times: pd.DatetimeIndex) -> None:
    place = {"row": 1, "col": 1}
    rates, name = replay.span.rate_rps, f"lead peak, {replay.night.quantile!r}"
    add_line(fig, times[:-1], replay.lead_peak_rps, name, RISK, 1.3, **place)
    if not replay.live.all():
        outlook = np.where(replay.live, np.nan, replay.lead_peak_rps)
        told = "of these, the outlook's"
        add_line(fig, times[:-1], outlook, told, RISK, 3.0, dash="dot", **place)
    add_line(fig, times[:-1], rates, "traffic", OBSERVED, 1.4, **place)
    fig.update_yaxes(title_text="requests per second", rangemode="tozero", **place)


def _add_policy(
    fig: go.Figure,
    replay: NightReplay,
    one: PolicyReplay,
    times: pd.DatetimeIndex,
    colour: str,
    row: int,
) -> None:
    missing = np.where(one.short > 0, np.maximum(replay.needed - one.ready, 0.0), 0.0)
    # What is drawn later lies on top, and the shade fills down to the line just before it.
    _add_steps(fig, times, one.ready, "ready", row, {"color": colour, "width": 2.2})
    fig.add_scatter(
        x=times,
        y=_to_the_end(one.ready + missing),
        name="short",
        mode="lines",
        line={"width": 0, "shape": "hv", "color": _SHORT},
        fill="tonexty",
        fillcolor=_SHORT,
        hoverinfo="skip",
        legendgroup="short",
        showlegend=row == 2,
        row=row,
        col=1,
    )
    asked = {"color": colour, "width": 1.1, "dash": "dot"}
    _add_steps(fig, times, one.asked, "asked for", row, asked)
    needed = {"color": _NEEDED, "width": 1.1}
    _add_steps(fig, times, replay.needed.astype(np.float64), "needed", row, needed)
    fig.update_yaxes(title_text="replicas", rangemode="tozero", row=row, col=1)


def _add_steps(
    fig: go.Figure,
    times: pd.DatetimeIndex,
    values: FloatArray,
    name: str,
    row: int,
    line: dict[str, object],
) -> None:
    fig.add_scatter(
        x=times,
        y=_to_the_end(values),
        name=name,
        mode="lines",
        line={**line, "shape": "hv"},
        hovertemplate=f"%{{y:,.4~g}} {name}<extra></extra>",
        legendgroup=name,
        showlegend=row == 2,
        row=row,
        col=1,
    )


def _to_the_end(values: FloatArray) -> FloatArray:
    """One value more, so that the last step is as long as the others."""
    return np.append(values, values[-1])
