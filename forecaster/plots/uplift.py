"""What past events of a kind did to traffic, and what the next one is expected to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from forecaster.events.course import course_knots
from forecaster.events.uplift import EventCurve, UpliftExample
from forecaster.plots.style import OBSERVED, OUTLOOK, RISK, add_line, dress

__all__ = ["uplift_figure"]


def uplift_figure(
    curve: EventCurve, examples: Sequence[UpliftExample], quantile: float, title: str
) -> go.Figure:
    """Factors on traffic along the course of an event, in minutes from its start.

    Thin lines are ``examples``, each with its own length; the event's end is a dashed line.
    """
    fig = go.Figure()
    for number, one in enumerate(examples):
        when = f"{one.start:%Y-%m-%d %H:%M} UTC {one.name}".strip()
        fig.add_trace(
            go.Scatter(
                x=course_knots(one.duration) / 60,
                y=np.exp(one.log_ratio),
                mode="lines",
                line={"color": OBSERVED, "width": 1},
                opacity=0.25,
                name="past events" if number == 0 else when,
                hovertemplate=f"{when}: ×%{{y:.2f}}<extra></extra>",
                legendgroup="past events",
                showlegend=number == 0,
            )
        )
    minutes = course_knots(curve.event.duration) / 60
    high, middle = np.exp(curve.log_quantile(quantile)), np.exp(curve.log_uplift)
    add_line(fig, minutes, high, f"{quantile:g} quantile", RISK, 1.5)
    add_line(fig, minutes, middle, "expected", OUTLOOK, 2.5)
    fig.add_vline(x=0, line_width=1)
    fig.add_vline(x=curve.event.duration.total_seconds() / 60, line_width=1, line_dash="dash")
    fig.update_xaxes(title_text="minutes from the start")
    fig.update_yaxes(title_text="traffic ÷ event-free outlook", rangemode="tozero")
    dress(fig, title, 420)
    return fig
