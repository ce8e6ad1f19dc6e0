"""Saturation against traffic per replica: what was seen, the line, and the capacity on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go

from forecaster.durations import format_duration
from forecaster.planning.measured_capacity import Measured, Refused
from forecaster.planning.measured_capacity_points import (
    BoolArray,
    LoadPoints,
    LoadSteps,
    load_points,
)
from forecaster.planning.measured_capacity_result import capacity_text
from forecaster.plots.style import (
    OBSERVED,
    OUTLOOK,
    RISK,
    TARGET,
    TARGET_FILL,
    add_band,
    add_line,
    dress,
    wide_legend,
)
from forecaster.traffic.history import FloatArray

__all__ = ["capacity_figure"]

_MOST_POINTS = 700
_LEFT_OUT = "#bdbdbd"
_ON_THE_LINE = 60


def capacity_figure(
    workload: str, steps: LoadSteps, found: Measured | Refused, target: float
) -> go.Figure:
    """Points of five minutes, and in grey what was left out: replicas that had just changed, time
    before a release, and the side of a bend where the target is not.
    """
    points = load_points(steps)
    used = _used(points, found)
    fig = go.Figure()
    unsteady = ~steps.steady
    _add_points(
        fig,
        np.concatenate([points.rate_rps[~used], steps.rate_rps[unsteady]]),
        np.concatenate([points.saturation[~used], steps.saturation[unsteady]]),
        np.concatenate([points.at_seconds[~used], _at_seconds(steps)[unsteady]]),
        "left out",
        _LEFT_OUT,
    )
    _add_points(
        fig,
        points.rate_rps[used],
        points.saturation[used],
        points.at_seconds[used],
        f"means of {format_duration(points.span)}",
        OBSERVED,
    )
    if isinstance(found, Measured):
        _add_line(fig, found)
        _add_capacity(fig, found)
    else:
        _add_bounds(fig, found)
    fig.add_hline(
        y=target,
        line={"color": RISK, "width": 1.5, "dash": "dash"},
        annotation_text=f"target {target:g}",
        annotation_position="top left",
        annotation_font_color=RISK,
    )
    fig.update_xaxes(title_text="traffic per second and ready replica", range=_range(points, found))
    top = float(np.quantile(points.saturation, 0.998)) if len(points) else target
    fig.update_yaxes(
        title_text="saturation of the mean replica", range=[0, 1.15 * max(top, target)]
    )
    dress(fig, _title(workload, found), 560)
    fig.update_layout(legend=wide_legend(0.0, 1.01))
    return fig


def _used(points: LoadPoints, found: Measured | Refused) -> BoolArray:
    if isinstance(found, Refused):
        return np.ones(len(points), dtype=np.bool_)
    since = found.since.timestamp()
    within = (points.rate_rps >= found.line.from_rps) & (points.rate_rps <= found.line.to_rps)
    used: BoolArray = (points.at_seconds >= since) & within
    return used


def _at_seconds(steps: LoadSteps) -> FloatArray:
    seconds = steps.position.astype(np.float64) * steps.step.total_seconds()
    at: FloatArray = steps.start.timestamp() + seconds
    return at


def _add_points(
    fig: go.Figure,
    rate_rps: FloatArray,
    saturation: FloatArray,
    at_seconds: FloatArray,
    name: str,
    colour: str,
) -> None:
    """Evenly thinned in time; the instant shows beside the pointer."""
    if len(rate_rps) == 0:
        return
    order = np.argsort(at_seconds, kind="stable")
    rows = order[:: max(1, -(-len(order) // _MOST_POINTS))]
    when = [
        f"{datetime.fromtimestamp(float(at), UTC):%a %d %b %H:%M} UTC" for at in at_seconds[rows]
    ]
    fig.add_scatter(
        x=rate_rps[rows],
        y=saturation[rows],
        mode="markers",
        marker={"color": colour, "size": 4, "opacity": 0.45},
        name=name,
        customdata=when,
        hovertemplate="%{x:,.4~g} per second, %{y:.2f}<br>%{customdata}<extra></extra>",
    )


def _add_line(fig: go.Figure, found: Measured) -> None:
    line = found.line
    ends = (line.from_rps, max(line.to_rps, found.high_rps))
    rates = np.linspace(*ends, _ON_THE_LINE)
    middle = np.array([line.saturation(float(one)) for one in rates])
    if line.variances is not None:
        half = np.array([line.half_width(float(one)) or 0.0 for one in rates])
        add_band(fig, rates, np.maximum(middle - half, 0), middle + half, "90 % interval")
    add_line(fig, rates, middle, "the line", OUTLOOK, 2.5)


def _add_capacity(fig: go.Figure, found: Measured) -> None:
    fig.add_vrect(
        x0=found.low_rps, x1=found.high_rps, fillcolor=TARGET_FILL, line_width=0, layer="below"
    )
    fig.add_vline(
        x=found.planned_rps,
        line={"color": TARGET, "width": 2},
        annotation_text=f"capacity {capacity_text(found.planned_rps)}",
        annotation_position="bottom left",
        annotation_font_color=TARGET,
    )


def _add_bounds(fig: go.Figure, refused: Refused) -> None:
    for bound, words, side in (
        (refused.at_least_rps, "at least", "bottom left"),
        (refused.at_most_rps, "at most", "bottom right"),
    ):
        if bound is not None:
            fig.add_vline(
                x=bound,
                line={"color": TARGET, "width": 1.5, "dash": "dot"},
                annotation_text=f"{words} {bound:.3g}",
                annotation_position=side,
                annotation_font_color=TARGET,
            )


def _range(points: LoadPoints, found: Measured | Refused) -> Sequence[float]:
    known = float(np.quantile(points.rate_rps, 0.999)) if len(points) else 1.0
    most = max(known, found.high_rps) if isinstance(found, Measured) else known
    return [0, 1.08 * most]


def _title(workload: str, found: Measured | Refused) -> str:
    if isinstance(found, Refused):
        return f"{workload}: no capacity can be told ({found.refusal})"
    return (
        f"{workload}: {capacity_text(found.planned_rps)} per second and replica "
        f"({found.low_rps:.4g} to {found.high_rps:.4g})"
    )
