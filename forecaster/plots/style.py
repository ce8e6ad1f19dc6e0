"""What every figure shares. Colours are of Okabe and Ito's palette, which nearly everybody can
tell apart, and mean the same everywhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from forecaster.traffic.history import FloatArray

__all__ = [
    "EVENT",
    "EVENT_MARK",
    "EVENT_TEXT",
    "OBSERVED",
    "OUTLOOK",
    "RISK",
    "RIVALS",
    "TARGET",
    "TARGET_FILL",
    "add_band",
    "add_line",
    "dress",
    "local_time",
    "local_times",
    "wide_legend",
]

OBSERVED = "#3c3c3c"
OUTLOOK = "#0072b2"
RISK = "#d55e00"
TARGET = "#009e73"
TARGET_FILL = "rgba(0, 158, 115, 0.12)"
EVENT = "rgba(230, 159, 0, 0.18)"
EVENT_MARK = "#e69f00"
EVENT_TEXT = "#8a6d1d"
RIVALS = ("#e69f00", "#cc79a7", "#56b4e9", "#8c8c8c", "#8c6d31", "#b3a300")

_BAND = "rgba(0, 114, 178, 0.20)"
_GRID = "#e6e6e6"
_FONT = "Inter, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"


def local_times(times: pd.DatetimeIndex, timezone: str) -> pd.DatetimeIndex:
    """Stamps as the clock in ``timezone`` shows them; plotly knows no zones."""
    return times.tz_convert(timezone).tz_localize(None)


def local_time(instant: datetime, timezone: str) -> datetime:
    """One instant as the clock in ``timezone`` shows it."""
    return instant.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


def add_line(
    fig: go.Figure,
    times: pd.DatetimeIndex | FloatArray,
    values: FloatArray,
    name: str,
    colour: str,
    width: float,
    **place: Any,
) -> None:
    """A line of traffic; gaps stay gaps."""
    fig.add_scatter(
        x=times,
        y=values,
        name=name,
        mode="lines",
        line={"color": colour, "width": width, "dash": place.pop("dash", "solid")},
        connectgaps=False,
        hovertemplate=f"%{{y:,.4~g}} {name}<extra></extra>",
        **place,
    )


def add_band(
    fig: go.Figure,
    times: pd.DatetimeIndex | pd.Index[str] | FloatArray,
    low: FloatArray,
    high: FloatArray,
    name: str,
    **place: Any,
) -> None:
    """The room between two quantiles."""
    edge = {"color": "rgba(0, 0, 0, 0)", "width": 0}
    fig.add_scatter(
        x=times, y=low, mode="lines", line=edge, showlegend=False, hoverinfo="skip", **place
    )
    fig.add_scatter(
        x=times,
        y=high,
        mode="lines",
        line=edge,
        fill="tonexty",
        fillcolor=_BAND,
        name=name,
        hoverinfo="skip",
        **place,
    )


def wide_legend(x: float, y: float) -> dict[str, Any]:
    """A legend in one line whose lower left corner is at (x, y) of the figure."""
    return {
        "orientation": "h",
        "traceorder": "normal",
        "x": x,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "font": {"size": 12},
    }


def dress(fig: go.Figure, title: str, height: int) -> None:
    """Fonts, grid, margins and the title, the same for all."""
    fig.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0.01, "xanchor": "left", "y": 0.975, "yanchor": "top"},
        title_font_size=17,
        font={"family": _FONT, "size": 13, "color": "#222222"},
        height=height,
        margin={"l": 70, "r": 24, "t": 92, "b": 56},
        hoverlabel={"font": {"family": _FONT}},
    )
    fig.update_xaxes(gridcolor=_GRID, linecolor="#b0b0b0", zeroline=False)
    fig.update_yaxes(gridcolor=_GRID, linecolor="#b0b0b0", zeroline=False)
