"""``preroll plan``: the next 48 hours from a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.calendar_option import EventsOption, of_series, read_events
from forecaster.cli.options import (
    HtmlOption,
    JsonOption,
    SeriesOption,
    StepOption,
    TimezoneOption,
    UnitOption,
    read_duration,
    read_instant,
    read_pause,
    read_quantile,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_rows, write_text
from forecaster.cli.source_options import SourceOptions, spread_options
from forecaster.cli.terminal import out, print_notice, print_written, progress_of_parts
from forecaster.cli.traffic_input import TrafficInput, check_zone, choose_series, listed
from forecaster.cli.traffic_source import read_source
from forecaster.durations import format_duration
from forecaster.errors import TrafficFileError

if TYPE_CHECKING:
    from forecaster.traffic.history import TrafficSeries

__all__ = ["plan"]

# What ScalingRule calls its fields, and an example for each.
_OPTIONS = {
    "capacity_rps": ("--capacity", "120"),
    "lead_time": ("--lead-time", "5m"),
    "quantile": ("--quantile", "0.98"),
    "min_replicas": ("--min-replicas", "1"),
    "max_replicas": ("--max-replicas", "100"),
    "hold_down": ("--hold-down", "5m"),
}


@spread_options
def plan(
    source: SourceOptions,
    capacity: Annotated[
        float,
        typer.Option(
            metavar="RPS",
            help="Requests per second that one replica serves at its target utilisation.",
            show_default=False,
        ),
    ],
    lead_time: Annotated[
        timedelta,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help='From "value served" to "pod ready".',
            show_default="5m",
        ),
    ] = timedelta(minutes=5),
    quantile: Annotated[
        float,
        typer.Option(
            parser=read_quantile,
            metavar="0-1",
            help="The risk: at 0.98 a target is too low in 2 % of decisions.",
        ),
    ] = 0.98,
    min_replicas: Annotated[int, typer.Option(metavar="N", help="Never fewer.")] = 1,
    max_replicas: Annotated[int, typer.Option(metavar="N", help="Never more.")] = 100,
    hold_down: Annotated[
        timedelta,
        typer.Option(
            parser=read_pause,
            metavar="DURATION",
            help="How long a higher target outlives the need.",
            show_default="5m",
        ),
    ] = timedelta(minutes=5),
    now: Annotated[
        datetime | None,
        typer.Option(
            parser=read_instant,
            metavar="INSTANT",
            help="Plan as of this instant; otherwise as of the end of the traffic.",
            show_default=False,
        ),
    ] = None,
    unit: UnitOption = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    events: EventsOption = None,
    json_file: JsonOption = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write a row per step; - for stdout.", show_default=False
        ),
    ] = None,
    html_file: HtmlOption = None,
) -> None:
    """Plan the replicas of the next 48 hours from past traffic.

    Example: preroll plan traffic.csv --unit requests --capacity 120 --lead-time 5m
    """
    zone = check_zone(timezone)
    check_outputs((json_file, csv_file, html_file), source.traffic)
    from forecaster.cli.plan_view import plan_json, plan_notes, plan_report, plan_rows
    from forecaster.models.event_outlook import outlook_with_events
    from forecaster.models.event_training import train_with_events
    from forecaster.models.selection import OutlookConfig
    from forecaster.planning import ScalingRule, build_plan
    from forecaster.planning.limits import LONGEST_LEAD_TIME, PLAN_HORIZON

    if lead_time > LONGEST_LEAD_TIME:
        raise _bad_option(
            f"lead_time must be at most {format_duration(LONGEST_LEAD_TIME)}, "
            f"not {format_duration(lead_time)}"
        )
    try:
        rule = ScalingRule(
            capacity_rps=capacity,
            lead_time=lead_time,
            quantile=quantile,
            min_replicas=min_replicas,
            max_replicas=max_replicas,
            hold_down=hold_down,
        )
    except ValueError as error:
        raise _bad_option(str(error)) from error
    traffic = read_source(source, unit=unit, step=step, timezone=timezone)
    past = _one_series(traffic, series)
    defaults = OutlookConfig()
    config = OutlookConfig(
        quantiles=tuple(sorted({*defaults.quantiles, quantile})),
        horizon=PLAN_HORIZON + rule.lead_steps(past.step) * past.step,
        timezone=zone.key,
    )
    cutoff = now or past.end
    if cutoff > past.end:
        print_notice(
            f"{traffic.place}: the traffic ends at {past.end:%Y-%m-%d %H:%M} UTC, "
            f"{format_duration(cutoff - past.end)} before the instant to plan for"
        )
    until = cutoff + config.horizon
    calendar = of_series(read_events(events, timezone, past.start, until), past)
    with progress_of_parts("training") as told:
        trained = train_with_events(past, cutoff, config, calendar, told)
        outlook = outlook_with_events(trained.outlook, trained.uplift, trained.calendar)
        declared = calendar.between(cutoff, until)
        made = build_plan(outlook, rule, events=declared)
        target = made.target(cutoff)
    if csv_file:
        write_rows(csv_file, plan_rows(made))
    if html_file:
        from forecaster.plots import event_spans, figures_page, outlook_figure

        marked = event_spans(calendar, past.start, made.outlook.end)
        figure = outlook_figure(
            past.before(cutoff), made.outlook, plan=made, events=marked, timezone=zone.key
        )
        notes = plan_notes(made, target)
        write_text(html_file, figures_page(f"Plan for {past.series_id}", [figure], notes=notes))
    if json_file:
        write_json(json_file, plan_json(made, target))
    print_written(csv_file, html_file, json_file)
    if STDOUT not in (csv_file, html_file, json_file):
        console = out()
        console.print(plan_report(made, target, zone, console.width))


def _bad_option(message: str) -> typer.BadParameter:
    """ScalingRule's complaint, which begins with a field, in the words of the command line."""
    _, example = _OPTIONS[message.split(" ", 1)[0]]
    first, *_ = (option for field, (option, _) in _OPTIONS.items() if message.startswith(field))
    for field, (option, _) in _OPTIONS.items():
        message = message.replace(field, option)
    return typer.BadParameter(f"{message}; for example {first} {example}")


def _one_series(traffic: TrafficInput, series_id: str | None) -> TrafficSeries:
    if series_id is None and len(traffic.history) > 1:
        names = traffic.history.ids
        raise TrafficFileError(
            traffic.place,
            f"{len(names)} series, and a plan is for one: {listed(names)}; "
            f"choose with --series {names[0]!r}",
        )
    return choose_series(traffic, series_id or traffic.history.ids[0])
