"""How often the lead peak came out higher than its quantiles said."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from forecaster.backtest.peak_scores import PeakScores
from forecaster.backtest.phrases import percent
from forecaster.plots.style import OUTLOOK, dress

__all__ = ["peak_calibration_figure"]

_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_ROOM = 1.6


def peak_calibration_figure(scores: PeakScores, *, title: str | None = None) -> go.Figure:
    """Asked and observed, as the share of decisions that the lead peak exceeded, 1 − coverage.

    Both axes are logarithmic: the quantiles that replicas are planned for crowd near 1. On the
    dashed line both are the same. A share of zero is drawn at the lower edge, as an open marker.
    """
    asked = [1 - level for level in scores.coverage]
    observed = [1 - share for share in scores.coverage.values()]
    one_window = 1 / max(scores.windows, 1)
    seen = [one for one in observed if one > 0]
    low = min([*asked, *seen]) / _ROOM
    low = max(min(low, 0.5), one_window / _ROOM)
    span = [low, 1.0]
    fig = go.Figure()
    fig.add_scatter(
        x=span,
        y=span,
        mode="lines",
        name="as asked",
        line={"color": "#8c8c8c", "width": 1.2, "dash": "dash"},
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=asked,
        y=[one if one > 0 else low for one in observed],
        mode="lines+markers",
        name="lead peak",
        line={"color": OUTLOOK, "width": 1.8},
        marker={
            "size": 9,
            "symbol": ["circle" if one > 0 else "circle-open" for one in observed],
        },
        text=[
            f"{level:g} quantile: coverage {share:.4f}, exceeded in {percent(1 - share)}, "
            f"asked {percent(1 - level)}"
            for level, share in scores.coverage.items()
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    ticks = [one for one in _TICKS if one >= low]
    for axis in (fig.update_xaxes, fig.update_yaxes):
        axis(
            type="log",
            range=[math.log10(low), 0.02],
            tickvals=ticks,
            ticktext=[percent(one) for one in ticks],
            fixedrange=True,
        )
    fig.update_xaxes(title_text="asked: may be exceeded in")
    fig.update_yaxes(title_text="observed: was exceeded in", automargin=True)
    dress(fig, title or f"Calibration of the lead peak, {scores.windows:,} decisions", height=440)
    fig.update_layout(showlegend=False, hovermode="closest")
    return fig
