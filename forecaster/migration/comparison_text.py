"""The comparison as Markdown and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from forecaster.backtest import PolicyReplay
from forecaster.backtest.phrases import day_words, percent
from forecaster.durations import format_duration
from forecaster.migration.comparison import FORECAST_ALONE, Compared
from forecaster.migration.quantity import plain_number
from forecaster.plots import EventSpan, PageTable, figures_page, replay_figure

__all__ = ["comparison_markdown", "comparison_page", "verdict"]

_CALLED = {
    "exporter": "the old set-up: exporter and HPA",
    "hpa": "its HPA without the exporter",
    "preroll": "Preroll, with the windows' and events' floors",
    FORECAST_ALONE: "Preroll, by its forecast alone",
}
_HEADER = ("", "unserved", "short", "longest", "replica-hours", "idle")
_TITLE = "What the old set-up ran, and what Preroll would have"
_ON_WHAT = (
    "The same traffic, pods and triggers for all. The exporter is replayed with its own windows, "
    "events and faults, read by controllers that act on 11 of 10, which newer ones ignore. "
    "Preroll's models are trained once a day on what had ended by then. Unserved is traffic above "
    "what ready replicas can serve; idle is replica-hours beyond those of perfect foresight. The "
    "floors are those that people typed for the exporter; without them Preroll still knows when "
    "windows and events are, and what they brought before."
)


def verdict(one: Compared) -> str:
    """Preroll beside the old set-up, in a sentence."""
    old, new, alone = (
        one.policy(name).measures for name in ("exporter", "preroll", FORECAST_ALONE)
    )
    return (
        f"{one.comparison.moved.workload}: the old set-up left {percent(old.unserved_ratio)} "
        f"unserved with {old.replica_hours:,.0f} replica-hours; Preroll leaves "
        f"{percent(new.unserved_ratio)} with {new.replica_hours:,.0f}, and without the typed "
        f"floors {percent(alone.unserved_ratio)} with {alone.replica_hours:,.0f}."
    )


def comparison_markdown(compared: Sequence[Compared], left_out: Sequence[str] = ()) -> str:
    """The whole text; ``left_out`` says which workloads have no comparison, and why."""
    parts = [f"# {_TITLE}\n", f"{_ON_WHAT}\n"]
    for one in compared:
        parts.append(f"## {one.comparison.moved.workload}\n")
        parts.append(f"{_days(one)}. {_under(one)}\n")
        parts.append("\n".join(_markdown_rows(one)) + "\n")
        parts.append(f"{verdict(one)}\n")
        parts += [f"{reason}.\n" for reason in one.reasons]
    if left_out:
        parts.append("## Left out\n")
        parts.append("\n".join(f"- {text}" for text in left_out) + "\n")
    return "\n".join(parts)


def comparison_page(compared: Sequence[Compared], left_out: Sequence[str] = ()) -> str:
    """The same as HTML, with traffic and replicas minute by minute."""
    tables = [
        PageTable(f"{one.comparison.moved.workload}, {_days(one)}", _HEADER, _rows(one))
        for one in compared
    ]
    notes = [_ON_WHAT, *map(verdict, compared), *map(_under, compared), *left_out]
    return figures_page(_TITLE, [_figure(one) for one in compared], tables=tables, notes=notes)


def _figure(one: Compared) -> go.Figure:
    compared = one.comparison
    figure = replay_figure(
        one.span,
        compared.settings,
        {replay.name: replay for replay in one.policies},
        events=[
            EventSpan(event.start, event.planned_end, event.name or event.kind)
            for event in compared.events
        ],
        timezone=compared.timezone,
        title=f"{compared.moved.workload}: the old set-up and Preroll",
    )
    # The old set-up is what is compared here; the HPA alone waits in the legend.
    figure.update_traces(visible=True, selector={"legendgroup": "exporter"})
    figure.update_traces(visible="legendonly", selector={"legendgroup": "hpa"})
    figure.update_traces(visible="legendonly", selector={"legendgroup": FORECAST_ALONE})
    figure.update_traces(name="Preroll, forecast alone", selector={"legendgroup": FORECAST_ALONE})
    return figure


def _days(one: Compared) -> str:
    zone = ZoneInfo(one.comparison.timezone)
    first = one.comparison.start.astimezone(zone)
    last = one.comparison.series.end.astimezone(zone)
    return (
        f"{day_words(first.date())} {first:%H:%M} to {day_words(last.date())} {last:%H:%M} "
        f"({zone.key})"
    )


def _under(one: Compared) -> str:
    compared = one.comparison
    settings, load = compared.settings, compared.moved.load
    unit = "cores" if load.unit == "cores" else "requests per second"
    text = (
        f"One replica serves up to {plain_number(float(f'{settings.capacity_rps:.4g}'))} {unit}, "
        f"is wanted to be {percent(load.share)} full, and is ready "
        f"{format_duration(settings.lead_time)} after it is asked for."
    )
    if compared.assumed_capacity:
        text += (
            " What it serves is assumed: that its maximum of replicas is what the busiest moment "
            "needs."
        )
    return text


def _markdown_rows(one: Compared) -> list[str]:
    head = ["| " + " | ".join(_HEADER) + " |", "|---" * len(_HEADER) + "|"]
    return head + ["| " + " | ".join(row) + " |" for row in _rows(one)]


def _rows(one: Compared) -> list[list[str]]:
    return [_row(replay) for replay in one.policies] + [
        ["perfect foresight", "0 %", "0s", "0s", _hours(one.oracle), "0 %"]
    ]


def _row(replay: PolicyReplay) -> list[str]:
    measures = replay.measures
    return [
        _CALLED[replay.name],
        percent(measures.unserved_ratio),
        _long(measures.underprovisioned_seconds),
        _long(measures.longest_shortage_seconds),
        _hours(replay),
        percent(measures.slack_ratio),
    ]


def _hours(replay: PolicyReplay) -> str:
    return f"{replay.measures.replica_hours:,.1f}"


def _long(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))
