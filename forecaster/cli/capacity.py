"""``preroll capacity``: what one replica serves, measured from history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.config_option import OptionalConfigOption, find_config, refuse_config
from forecaster.cli.options import (
    JsonOption,
    StepOption,
    TimezoneOption,
    TrafficArgument,
    UnitOption,
    WorkloadsOption,
    read_utilisation,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_text
from forecaster.cli.source_options import DaysOption, ServerOptions, UntilOption
from forecaster.cli.terminal import (
    out,
    print_error,
    print_notice,
    print_written,
    progress_of_parts,
)
from forecaster.cli.traffic_input import check_zone

if TYPE_CHECKING:
    from forecaster.cli.capacity_source import Signals
    from forecaster.cli.capacity_view import Found

__all__ = ["capacity"]

_NOTHING_TOLD = 2
_MOST_FIGURES = 24


def capacity(
    traffic: TrafficArgument = None,
    replicas: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How many replicas are ready.", show_default=False),
    ] = None,
    saturation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="How busy the mean replica is, as a ratio: CPU use by request.",
            show_default=False,
        ),
    ] = None,
    config: OptionalConfigOption = None,
    target: Annotated[
        float | None,
        typer.Option(
            parser=read_utilisation,
            metavar="RATIO",
            help="How busy a replica shall be; otherwise what the settings say, or 0.7.",
            show_default=False,
        ),
    ] = None,
    workload: WorkloadsOption = None,
    days: DaysOption = None,
    until: UntilOption = None,
    unit: UnitOption = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    json_file: JsonOption = None,
    html_file: Annotated[
        Path | None,
        typer.Option(
            "--html",
            "--plot",
            metavar="FILE",
            help="Write a page with a plot for each workload that needs no network; - for stdout.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure the traffic per second that one ready replica serves at the target utilisation.

    From history of three signals: traffic, ready replicas, and how busy these are. The number is
    the lower end of its 90 % interval. Where history cannot tell, it says why, and what would help;
    the exit code is 2 where it cannot tell any.

    Example: preroll capacity traffic.csv --replicas replicas.csv --saturation cpu.csv --target 0.7
    """
    check_zone(timezone)
    check_outputs((json_file, html_file), traffic)
    signals, usual = _signals(
        (traffic, replicas, saturation), config, (days, until), (unit, step, timezone)
    )
    from forecaster.cli.capacity_source import chosen
    from forecaster.cli.capacity_view import found_json, found_table, found_words, settings_lines
    from forecaster.planning.measured_capacity import Measured

    place = str(traffic or find_config(config))
    found = _measured(list(chosen(signals, workload or (), place)), target, usual)
    if json_file:
        write_json(json_file, found_json(found))
    if html_file:
        write_text(html_file, _page(found))
    print_written(json_file, html_file)
    if STDOUT not in (json_file, html_file):
        out().print(found_table(found))
        for words in found_words(found):
            print_notice(words)
        if settings_lines(found):
            out().print("To paste into preroll.yaml:", style="dim")
            print("\n".join(settings_lines(found)))
    if not any(isinstance(one.result, Measured) for one in found):
        print_error("no capacity can be told from this history")
        raise typer.Exit(_NOTHING_TOLD)


def _signals(
    files: tuple[Path | None, Path | None, Path | None],
    config: Path | None,
    span: tuple[timedelta | None, datetime | None],
    reading: tuple[str | None, timedelta | None, str | None],
) -> tuple[list[Signals], float]:
    """The signals of every workload, and the target of those without one of their own."""
    from forecaster.cli.capacity_source import SignalFiles, read_files, read_settings
    from forecaster.settings.capacity_shape import TARGET_UTILISATION

    traffic, replicas, saturation = files
    if traffic is not None or replicas is not None or saturation is not None:
        refuse_config(config, "TRAFFIC")
        for given, hint in ((span[0], "--days"), (span[1], "--until")):
            if given is not None:
                raise typer.BadParameter("goes without files", param_hint=hint)
        if traffic is None or replicas is None or saturation is None:
            hints = ("TRAFFIC", "--replicas", "--saturation")
            raise typer.BadParameter(
                "three files are needed: preroll capacity traffic.csv --replicas replicas.csv "
                "--saturation cpu.csv",
                param_hint=hints[files.index(None)],
            )
        return read_files(SignalFiles(traffic, replicas, saturation, *reading)), TARGET_UTILISATION
    config = find_config(config)
    if config is None:
        raise typer.BadParameter(
            "where is the history? Write for example preroll capacity traffic.csv --replicas "
            "replicas.csv --saturation cpu.csv, or --config preroll.yaml",
            param_hint="TRAFFIC",
        )
    unit, step, timezone = reading
    for text, hint in ((unit, "--unit"), (timezone, "--timezone")):
        if text is not None:
            raise typer.BadParameter("goes with files", param_hint=hint)
    signals, settings = read_settings(config, ServerOptions(days=span[0], until=span[1]), step)
    return signals, settings.capacity.target_utilisation


def _measured(signals: Sequence[Signals], target: float | None, usual: float) -> list[Found]:
    from forecaster.cli.capacity_view import Found
    from forecaster.planning.measured_capacity import Refusal, Refused, measure_capacity
    from forecaster.planning.measured_capacity_points import load_steps

    found = []
    with progress_of_parts("measuring") as told:
        for number, one in enumerate(signals):
            aim, now = target or one.target or usual, one.end
            traffic, replicas, saturation = one.traffic, one.replicas, one.saturation
            if one.fault is not None:
                fault = Refused(Refusal.MISSING, one.fault, "Change the query")
                found.append(Found(one.workload, aim, fault, None))
            else:
                result = measure_capacity(traffic, replicas, saturation, aim, now)
                steps = None
                if traffic is not None and replicas is not None and saturation is not None:
                    steps = load_steps(traffic, replicas, saturation, now)
                found.append(Found(one.workload, aim, result, steps))
            told(number + 1, len(signals))
    return found


def _page(found: Sequence[Found]) -> str:
    from forecaster.cli.capacity_view import found_page_table, found_words
    from forecaster.plots.capacity import capacity_figure
    from forecaster.plots.page import figures_page

    shown = [one for one in found if one.steps is not None][:_MOST_FIGURES]
    figures = [
        capacity_figure(one.workload, one.steps, one.result, one.target)
        for one in shown
        if one.steps is not None
    ]
    return figures_page(
        "Measured capacity",
        figures,
        tables=[found_page_table(found)],
        notes=list(found_words(found)),
    )
