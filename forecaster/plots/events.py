"""Events as bands behind traffic: a label where there is room, the others under the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import plotly.graph_objects as go

from forecaster.events import Calendar
from forecaster.plots.style import EVENT, EVENT_MARK, EVENT_TEXT, local_time

__all__ = ["EVENT_NAME", "EventSpan", "add_events", "event_spans"]

EVENT_NAME = "event"
"""What the legend says; bands, labels and marks are named so, and come and go together."""

_MOST_LABELS = 20  # as many lines of text stand side by side on a phone
_LONGEST_LABEL = 28


@dataclass(frozen=True)
class EventSpan:
    """Something known ahead, drawn as a band behind the traffic."""

    start: datetime
    end: datetime
    label: str = ""


def event_spans(calendar: Calendar, since: datetime, until: datetime) -> tuple[EventSpan, ...]:
    """The events of a calendar that go on within [since, until), by start, each with its name."""
    return tuple(
        EventSpan(one.start, one.planned_end, one.name or one.kind)
        for one in calendar.between(since, until)
    )


def add_events(
    fig: go.Figure,
    events: Sequence[EventSpan],
    timezone: str,
    *,
    shown: tuple[datetime, datetime],
    rows: int = 1,
    name: str = EVENT_NAME,
) -> None:
    """Bands behind the first ``rows`` panels of a figure of subplots, their labels in the first.

    ``shown`` is from when to when the time axis runs: what lies outside is left out, and labels
    that would stand upon one another are. Each event has a mark at the foot of the first panel
    that tells its label, and all have one entry in the legend, ``name``.
    """
    since, until = shown
    spans = [one for one in _together(events) if one.start < until and one.end > since]
    if not spans:
        return
    places = [fig.get_subplot(row, 1) for row in range(1, rows + 1)]
    bands = [
        {
            "type": "rect",
            "name": name,
            "xref": place.xaxis.plotly_name.replace("axis", ""),
            "yref": f"{place.yaxis.plotly_name.replace('axis', '')} domain",
            "x0": local_time(max(one.start, since), timezone),
            "x1": local_time(min(one.end, until), timezone),
            "y0": 0,
            "y1": 1,
            "fillcolor": EVENT,
            "line": {"width": 0},
            "layer": "below",
        }
        for one in spans
        for place in places
    ]
    labels = [
        {
            "name": name,
            "xref": "x",
            "yref": "y domain",
            "x": local_time(max(one.start, since), timezone),
            "y": 1,
            "xanchor": "left",
            "yanchor": "top",
            "text": _short(one.label),
            "textangle": -90,
            "showarrow": False,
            "font": {"size": 11, "color": EVENT_TEXT},
        }
        for one in _with_room(spans, shown)
    ]
    # In one go: plotly takes longer for each band the more there are.
    fig.layout.shapes = (*fig.layout.shapes, *bands)
    fig.layout.annotations = (*fig.layout.annotations, *labels)
    _add_marks(fig, spans, timezone, shown, name)


def _add_marks(
    fig: go.Figure,
    spans: Sequence[EventSpan],
    timezone: str,
    shown: tuple[datetime, datetime],
    name: str,
) -> None:
    times: list[datetime | None] = []
    told: list[str] = []
    for one in spans:
        begin, end = max(one.start, shown[0]), min(one.end, shown[1])
        clock = f"{local_time(one.start, timezone):%H:%M}–{local_time(one.end, timezone):%H:%M}"
        places = (begin, begin + (end - begin) / 2, end)
        times += [*(local_time(at, timezone) for at in places), None]
        told += [f"{one.label or name}, {clock}"] * 4
    fig.add_scatter(
        x=times,
        y=[0] * len(times),
        name=name,
        mode="lines",
        line={"color": EVENT_MARK, "width": 5},
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        legendgroup=name,
        legendrank=2000,
        cliponaxis=False,
        row=1,
        col=1,
    )


def _together(events: Sequence[EventSpan]) -> list[EventSpan]:
    """By start; those of the same time are one, with all their labels."""
    labels: dict[tuple[datetime, datetime], list[str]] = {}
    for one in sorted(events, key=lambda event: (event.start, event.end)):
        labels.setdefault((one.start, one.end), []).append(one.label)
    return [
        EventSpan(start, end, " · ".join(dict.fromkeys(name for name in names if name)))
        for (start, end), names in labels.items()
    ]


def _with_room(spans: Sequence[EventSpan], shown: tuple[datetime, datetime]) -> list[EventSpan]:
    room = (shown[1] - shown[0]) / _MOST_LABELS
    kept: list[EventSpan] = []
    for one in spans:
        start = max(one.start, shown[0])
        fits = not kept or start - max(kept[-1].start, shown[0]) >= room
        if one.label and fits and shown[1] - start >= room / 2:
            kept.append(one)
    return kept


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1].rstrip()}…"
