"""``preroll events suggest``: peaks that no known event explains, as a calendar to edit."""

from __future__ import annotations

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
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_text
from forecaster.cli.source_options import SourceOptions, spread_options
from forecaster.cli.terminal import out, print_notice, print_written, progress_of_parts
from forecaster.cli.traffic_input import check_step, check_zone, choose_series
from forecaster.cli.traffic_source import read_source

if TYPE_CHECKING:
    from forecaster.cli.events_suggest_view import Found

__all__ = ["suggest"]

_SHOWN_CLOSELY = 6


@spread_options
def suggest(
    source: SourceOptions,
    events: EventsOption = None,
    least_uplift: Annotated[
        float,
        typer.Option(
            metavar="FACTOR", help="A peak is at least so many times what was expected; above 1."
        ),
    ] = 1.4,
    most: Annotated[
        int, typer.Option("--most", metavar="N", help="The most suggestions.", min=1, max=1000)
    ] = 20,
    unit: UnitOption = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write the calendar there, as YAML, and show a table; otherwise to stdout.",
            show_default=False,
        ),
    ] = None,
    json_file: JsonOption = None,
    html_file: HtmlOption = None,
) -> None:
    """Find peaks of the last six weeks that no known event explains, as a calendar to edit.

    Expected is what was forecast a day ahead, with the known events in it. What comes back at
    about the same time of some weekdays is one rule, the rest are single events; each declares the
    uplift that was measured. Give them their kinds and names, and delete what was no event.

    Example: preroll events suggest traffic.csv --unit requests --timezone Europe/Paris --output
    suggested.yaml
    """
    zone = check_zone(timezone)
    elsewhere = STDOUT in (json_file, html_file)
    calendar_file = output if output is not None or elsewhere else STDOUT
    check_outputs((calendar_file, json_file, html_file), source.traffic)
    if not 1 < least_uplift <= 1000:
        raise typer.BadParameter(
            f"{least_uplift:g} is not a factor above 1; write for example 1.5",
            param_hint="--least-uplift",
        )
    if output is not None and events is not None and output.resolve() == events.resolve():
        raise typer.BadParameter(
            f"{output} holds the known events; name another file", param_hint="--output"
        )
    from forecaster.cli.events_suggest_view import (
        Found,
        found_calendar,
        found_json,
        found_sentence,
        found_table,
    )
    from forecaster.events.suggest_peaks import PeakRules
    from forecaster.models.event_suggestions import find_events

    traffic = read_source(source, unit=unit, step=step, timezone=timezone)
    past = choose_series(traffic, series or traffic.history.ids[0])
    check_step(traffic, past.step)
    if series is None and len(traffic.history) > 1:
        print_notice(f"{len(traffic.history)} series; this is {past.series_id}")
    known = of_series(read_events(events, timezone, past.start, past.end), past)
    with progress_of_parts("looking") as told:
        suggested = find_events(past, known, zone.key, PeakRules(least_uplift=least_uplift), told)
    found = Found(past.series_id, suggested, zone, most)
    print_notice(found_sentence(found))
    if calendar_file:
        write_text(calendar_file, found_calendar(found))
    if html_file:
        write_text(html_file, _page(found))
    if json_file:
        write_json(json_file, found_json(found))
    print_written(output, json_file, html_file)
    if found.shown and calendar_file != STDOUT and not elsewhere:
        out().print(found_table(found))


def _page(found: Found) -> str:
    from forecaster.cli.events_suggest_view import found_page_table, found_sentence
    from forecaster.plots.page import figures_page
    from forecaster.plots.suggest import suggested_figure

    traffic, zone = found.suggested.traffic, found.zone.key
    figures = [suggested_figure(found.series_id, traffic, found.shown, zone)]
    for one in found.shown[:_SHOWN_CLOSELY]:
        figures.append(suggested_figure(found.series_id, traffic, found.shown, zone, one))
    return figures_page(
        f"Suggested events of {found.series_id}",
        figures,
        tables=[found_page_table(found)] if found.shown else [],
        notes=[found_sentence(found)],
    )
