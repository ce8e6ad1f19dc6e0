"""``preroll events uplift``: what past events did to traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.calendar_option import of_series, read_events
from forecaster.cli.options import (
    HtmlOption,
    JsonOption,
    SeriesOption,
    StepOption,
    TimezoneOption,
    UnitOption,
    read_quantile,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_text
from forecaster.cli.source_options import SourceOptions, spread_options
from forecaster.cli.terminal import out, print_notice, print_written, progress_of_parts
from forecaster.cli.traffic_input import check_zone, choose_series
from forecaster.cli.traffic_source import read_source

if TYPE_CHECKING:
    from rich.table import Table

    from forecaster.events.uplift import EventCurve, UpliftExample, UpliftModel

__all__ = ["uplift"]


@dataclass(frozen=True, eq=False)
class _Learned:
    """One kind at one importance: its curve, its examples, and the last one held out."""

    curve: EventCurve
    examples: tuple[UpliftExample, ...]
    held_out: tuple[UpliftExample, float] | None


@spread_options
def uplift(
    source: SourceOptions,
    events: Annotated[
        Path,
        typer.Option(
            "--events",
            metavar="FILE",
            help="The calendar: what was on. YAML, CSV, iCalendar.",
            show_default=False,
        ),
    ],
    quantile: Annotated[
        float,
        typer.Option(parser=read_quantile, metavar="0-1", help="The risk that is shown beside."),
    ] = 0.98,
    unit: UnitOption = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    json_file: JsonOption = None,
    html_file: HtmlOption = None,
) -> None:
    """Learn from past events what they bring, and show it by kind and importance.

    A factor is traffic over what it would have been without the event. What counts for the next
    event is what like ones did: at its hour, on a workday or a weekend, of its importance, lately.

    Example: preroll events uplift traffic.csv --unit requests --events matches.csv
    """
    zone = check_zone(timezone)
    check_outputs((json_file, html_file), source.traffic)
    from forecaster.models.event_training import train_with_events
    from forecaster.models.selection import OutlookConfig

    traffic = read_source(source, unit=unit, step=step, timezone=timezone)
    past = choose_series(traffic, series or traffic.history.ids[0])
    if series is None and len(traffic.history) > 1:
        print_notice(f"{len(traffic.history)} series; this is {past.series_id}")
    calendar = of_series(read_events(events, timezone, past.start, past.end), past)
    config = OutlookConfig(horizon=timedelta(days=1), timezone=zone.key)
    with progress_of_parts("learning") as told:
        model = train_with_events(past, past.end, config, calendar, told).uplift
    learned = _learned(model, past.end)
    if not learned:
        print_notice(
            f"{events}: no event of it lies within {past.start:%Y-%m-%d %H:%M} to "
            f"{past.end:%Y-%m-%d %H:%M} UTC, or its kind is on most of the time"
        )
    if html_file:
        from forecaster.plots.page import figures_page
        from forecaster.plots.uplift import uplift_figure

        figures = [uplift_figure(one.curve, one.examples, quantile, _title(one)) for one in learned]
        write_text(html_file, figures_page(f"Events of {past.series_id}", figures))
    if json_file:
        write_json(json_file, {"uplifts": [_json(one, quantile) for one in learned]})
    print_written(html_file, json_file)
    if learned and STDOUT not in (html_file, json_file):
        out().print(
            f"{past.series_id}, {past.start.astimezone(zone):%Y-%m-%d} to "
            f"{past.end.astimezone(zone):%Y-%m-%d}, hours and days of {zone.key};\n"
            "× is traffic over what it would have been without the event",
            highlight=False,
        )
        out().print(_table(learned, quantile))


def _learned(model: UpliftModel, now: datetime) -> list[_Learned]:
    """Each kind and importance that was seen, told for an event like its last one."""
    from forecaster.events import Event

    found = []
    pairs = sorted({(one.kind, one.importance) for one in model.examples})
    for kind, importance in pairs:
        own = tuple(
            one for one in model.examples if (one.kind, one.importance) == (kind, importance)
        )
        last = own[-1]
        again = last.start + timedelta(days=7 * (1 + (now - last.start) // timedelta(days=7)))
        event = Event(again, again + last.duration, kind, importance)
        found.append(_Learned(model.curve(event, now), own, model.held_out_error(kind, importance)))
    return found


def _title(one: _Learned) -> str:
    event = one.curve.event
    title = f"{event.kind}, importance {event.importance:g}: {one.curve.source} of the kind"
    if len(one.examples) < one.curve.examples:
        title += f", {len(one.examples)} of this importance"
    return title if one.held_out is None else f"{title}; last off by {_error(one)}"


def _error(one: _Learned) -> str:
    import numpy as np

    return "–" if one.held_out is None else f"{np.expm1(one.held_out[1]):.0%}"


def _kind(one: _Learned) -> str:
    return f"{one.curve.event.kind}, {one.curve.event.importance:g}"


def _places(one: _Learned) -> dict[str, int]:
    """Positions on the course: a quarter of an hour before, in the middle, at the end, after."""
    import numpy as np

    from forecaster.events.course import course_knots

    knots, end = course_knots(one.curve.event.duration), one.curve.event.duration.total_seconds()
    wanted = {
        "15m\nbefore": -900.0,
        "start": 120.0,
        "middle": end / 2,
        "end": end - 60.0,
        "30m\nafter": end + 1800.0,
    }
    return {name: int(np.abs(knots - at).argmin()) for name, at in wanted.items()}


def _table(learned: list[_Learned], quantile: float) -> Table:
    import numpy as np
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("kind", overflow="fold")
    names = list(_places(learned[0]))
    for name in ("events", *names, f"top\nat {quantile:g}", "last\noff by"):
        table.add_column(name, justify="right")
    for one in learned:
        curve, places = one.curve, _places(one)
        table.add_row(
            _kind(one),
            f"{len(one.examples)}",
            *(f"×{np.exp(curve.log_uplift[places[name]]):.2f}" for name in names),
            f"×{np.exp(curve.log_quantile(quantile).max()):.2f}",
            _error(one),
        )
    return table


def _json(one: _Learned, quantile: float) -> dict[str, Any]:
    import numpy as np

    from forecaster.events.course import course_knots

    curve, held = one.curve, one.held_out
    return {
        "kind": curve.event.kind,
        "importance": curve.event.importance,
        "examples": [
            {"start": example.start.astimezone(UTC).isoformat(), "name": example.name}
            for example in one.examples
        ],
        "told_from": curve.examples,
        "seconds_from_start": course_knots(curve.event.duration).tolist(),
        "factor": np.exp(curve.log_uplift).tolist(),
        "quantile": quantile,
        "factor_at_quantile": np.exp(curve.log_quantile(quantile)).tolist(),
        "error_on_the_last": None if held is None else float(np.expm1(held[1])),
    }
