"""Slack against unserved traffic, policy by policy, as steps: nothing between points is claimed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import plotly.graph_objects as go

from forecaster.backtest.frontier import Frontier
from forecaster.backtest.phrases import joined, percent, setting_words
from forecaster.backtest.replay import POLICY_NAMES
from forecaster.backtest.sweep import SweptPoint, least_slack
from forecaster.plots.policies import policy_label, policy_look
from forecaster.plots.style import dress, wide_legend

__all__ = ["frontier_figure", "not_reached", "policies_of"]

_ON_TOP = ("preroll", "hpa")
_ROOM = 2.2
_LEAST_SLACK = 0.05


def policies_of(frontier: Frontier) -> list[str]:
    """The policies that were swept, in the order in which they are shown."""
    names = {name for row in frontier.rows for name in row.best}
    known = [name for name in POLICY_NAMES if name in names]
    return known + sorted(names - set(known))


def frontier_figure(frontier: Frontier, *, title: str | None = None) -> go.Figure:
    """One line a policy: the least slack among its settings that left at most so much unserved.

    Markers stand at the targets of the frontier's rows; a policy that did not reach one is named
    below. The horizontal axis is logarithmic and less unserved lies to the left.
    """
    targets = sorted(row.unserved_ratio for row in frontier.rows)
    left, right = targets[0] / _ROOM, targets[-1] * _ROOM
    fig = go.Figure()
    for name in sorted(policies_of(frontier), key=_depth):
        _add_policy(fig, frontier, name, left, right)
    for target in targets:
        fig.add_vline(x=target, line={"color": "#cfcfcf", "width": 1, "dash": "dot"})
    fig.update_xaxes(
        type="log",
        range=[math.log10(left), math.log10(right)],
        tickvals=targets,
        ticktext=[percent(one) for one in targets],
        title_text="unserved traffic, at most",
        fixedrange=True,
    )
    top = max(_heights(frontier), default=0.1) * 1.12
    low = min(0.0, min(_heights(frontier), default=0.0) * 1.1)
    fig.update_yaxes(
        ticksuffix=" %", range=[100 * low, 100 * top], title_text="slack", fixedrange=True
    )
    dress(fig, title or "Slack at equal unserved traffic", height=460)
    fig.update_layout(legend=wide_legend(0.0, 1.01), hovermode="closest")
    notes = not_reached(frontier)
    if notes:
        fig.add_annotation(
            xref="paper",
            yref="paper",
            x=0,
            y=0,
            yshift=-64,
            xanchor="left",
            yanchor="top",
            text="<br>".join(notes),
            showarrow=False,
            align="left",
            font={"size": 12, "color": "#555555"},
        )
        room = 18 * len(notes)
        fig.update_layout(height=460 + room, margin={"b": 66 + room})
    return fig


def not_reached(frontier: Frontier) -> tuple[str, ...]:
    """Who came to a target with no setting that was tried, a sentence for each such target."""
    told = []
    for row in frontier.rows:
        missing = [name for name in policies_of(frontier) if row.slack(name) is None]
        if missing:
            names = joined([policy_label(name) for name in missing])
            told.append(f"{percent(row.unserved_ratio)} was not reached by {names}.")
    return tuple(told)


def _add_policy(fig: go.Figure, frontier: Frontier, name: str, left: float, right: float) -> None:
    look = policy_look(name)
    points = _lower_envelope(_own_points(frontier, name), left, right)
    width = 2.6 if name == "preroll" else 1.8
    fig.add_scatter(
        x=[x for x, _ in points],
        y=[100 * y for _, y in points],
        mode="lines",
        line={"color": look.colour, "width": width, "shape": "hv"},
        name=look.label,
        legendgroup=name,
        showlegend=False,
        hoverinfo="skip",
    )
    reached = [(row.unserved_ratio, best) for row in frontier.rows if (best := row.best.get(name))]
    fig.add_scatter(
        x=[target for target, _ in reached],
        y=[100 * best.slack_ratio for _, best in reached],
        mode="markers+lines" if not points else "markers",
        marker={"color": look.colour, "size": 9, "symbol": look.symbol},
        name=look.label,
        legendgroup=name,
        legendrank=1000 - _depth(name) if name in _ON_TOP else 1100,
        text=[
            f"{look.label}: {percent(best.slack_ratio)} slack at {percent(target)} unserved<br>"
            f"{setting_words(best.setting)}"
            for target, best in reached
        ],
        hovertemplate="%{text}<extra></extra>",
    )


def _own_points(frontier: Frontier, name: str) -> list[SweptPoint]:
    """What was tried for the policy, and the HPA alone, which every floor may fall back to."""
    return [one for one in frontier.points if one.policy in (name, "hpa")]


def _lower_envelope(
    points: Iterable[SweptPoint], left: float, right: float
) -> list[tuple[float, float]]:
    """The corners of the step line from ``left`` to ``right``, by rising unserved traffic."""
    tried = list(points)
    at_left = least_slack(tried, left)
    corners = [] if at_left is None else [(left, at_left.slack_ratio)]
    best = float("inf") if at_left is None else at_left.slack_ratio
    for point in sorted(tried, key=lambda one: (one.unserved_ratio, one.slack_ratio)):
        if left < point.unserved_ratio <= right and point.slack_ratio < best:
            best = point.slack_ratio
            corners.append((point.unserved_ratio, best))
    if corners:
        corners.append((right, best))
    return corners


def _heights(frontier: Frontier) -> list[float]:
    best = [point for row in frontier.rows for point in row.best.values() if point is not None]
    return [max(point.slack_ratio, _LEAST_SLACK) for point in best] + [
        point.slack_ratio for point in best if point.slack_ratio < 0
    ]


def _depth(name: str) -> int:
    return -_ON_TOP.index(name) if name in _ON_TOP else -len(_ON_TOP)
