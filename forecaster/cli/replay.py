"""``preroll replay``: last night again, with what each autoscaler would have run."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.calendar_option import EventsOption
from forecaster.cli.options import (
    HtmlOption,
    JsonOption,
    SeriesOption,
    StepOption,
    TimezoneOption,
    UnitOption,
    read_duration,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_rows, write_text
from forecaster.cli.replay_rules import RuleOptions
from forecaster.cli.replay_source import Moment, ReplaySource, read_nights
from forecaster.cli.source_options import spread_options
from forecaster.cli.terminal import out, print_notice, print_written, progress

if TYPE_CHECKING:
    from forecaster.backtest.night import Night, NightReplay
    from forecaster.backtest.peak_origins import PeakOrigin

__all__ = ["replay"]


@spread_options
def replay(
    source: ReplaySource,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="Where the window begins: '2026-06-14 20:00' by the audience's clock (the "
            "settings' timezone, or --timezone), or with an offset of its own.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        timedelta,
        typer.Option(
            parser=read_duration, metavar="DURATION", help="How long it is.", show_default="3h"
        ),
    ] = timedelta(hours=3),
    policies: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,…|all",
            help="Of oracle, hpa, schedule, exporter, outlook, holt_winters, prophet, preroll.",
        ),
    ] = "hpa,preroll",
    workload: Annotated[
        str | None,
        typer.Option(
            "--workload",
            metavar="NAMESPACE/NAME",
            help="One of the configured workloads; otherwise all, if they are few.",
            show_default=False,
        ),
    ] = None,
    rule: RuleOptions,
    unit: UnitOption = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    events: EventsOption = None,
    every: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="A row of the table so often, for example 5m; otherwise 40 rows at most.",
            show_default=False,
        ),
    ] = None,
    json_file: JsonOption = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write a row per step: traffic per second, and replicas asked for, ready and "
            "short of each policy; - for stdout.",
            show_default=False,
        ),
    ] = None,
    html_file: HtmlOption = None,
) -> None:
    """Run a window of the past again: what each autoscaler would have done, step by step.

    Models are trained on what had ended an hour before the window, and see each
    step only once it has ended. Events are the settings', or those of --events;
    the whole calendar counts as known all along, whenever an event was added:
    hindsight flatters.

    Example: preroll replay --config preroll.yaml --at "2026-06-14 20:00" --window 3h

    Example: preroll replay traffic.csv --unit requests --capacity 50 --at "2026-06-14 20:00"
    """
    if at is None:
        raise typer.BadParameter(
            "which night? Write for example --at '2026-06-14 20:00'", param_hint="--at"
        )
    check_outputs((json_file, csv_file, html_file), source.traffic)
    names = _policies(policies)
    moment = Moment(at, window, timezone, unit, step, series, workload, events)
    nights = read_nights(source, moment, rule)
    replays = _replayed(nights, names)
    from forecaster.cli.replay_files import replay_json, replay_page, replay_rows
    from forecaster.cli.replay_view import replay_report, summary_table

    if csv_file:
        write_rows(csv_file, replay_rows(replays))
    if html_file:
        tables = [summary_table(one, several=len(replays) > 1) for one in replays]
        write_text(html_file, replay_page(replays, tables))
    if json_file:
        write_json(json_file, replay_json(replays))
    print_written(csv_file, html_file, json_file)
    if STDOUT not in (csv_file, html_file, json_file):
        console = out()
        for number, one in enumerate(replays):
            if number:
                console.print()
            console.print(replay_report(one, every, console.width))


def _policies(text: str) -> tuple[str, ...]:
    from forecaster.backtest.named import choose_policies
    from forecaster.backtest.rivals import prophet_installed

    try:
        names = choose_policies(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--policies") from error
    if "prophet" in names and not prophet_installed():
        if text.strip() != "all":
            raise typer.BadParameter(
                "prophet is not installed; install preroll[bench], or leave the policy out",
                param_hint="--policies",
            )
        print_notice("prophet is not installed, and left out")
        names = tuple(name for name in names if name != "prophet")
    return names


def _replayed(nights: list[Night], policies: tuple[str, ...]) -> list[NightReplay]:
    from forecaster.backtest import map_unordered
    from forecaster.backtest.night import night_tasks, replay_night, work_night

    tasks = [(number, task) for number, one in enumerate(nights) for task in night_tasks(one)]
    # A process takes about as long to start as a model to train: one for two of these at least.
    jobs = max(1, min(os.cpu_count() or 1, len(tasks) // 2))
    origins: list[list[PeakOrigin]] = [[] for _ in nights]
    with progress("replaying", len(tasks) + len(nights)) as advance:
        for number, origin in map_unordered(work_night, tasks, jobs):
            origins[number].append(origin)
            advance()
        replays = []
        for night, trained in zip(nights, origins, strict=True):
            replays.append(replay_night(night, trained, policies))
            advance()
    return replays
