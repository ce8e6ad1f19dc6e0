"""``preroll backtest``: how wrong the outlook would have been, on past traffic."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.options import (
    HtmlOption,
    JsonOption,
    SeriesOption,
    StepOption,
    TimezoneOption,
    UnitOption,
    read_duration,
    read_quantiles,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_rows, write_text
from forecaster.cli.source_options import SourceOptions, spread_options
from forecaster.cli.terminal import err, out, print_notice, print_written, progress
from forecaster.cli.traffic_input import check_zone, choose_series
from forecaster.cli.traffic_source import read_source

if TYPE_CHECKING:
    from forecaster.backtest import (
        BacktestReport,
        Baseline,
        Holdout,
        OriginFailure,
        OriginForecast,
    )
    from forecaster.models.selection import OutlookConfig

__all__ = ["backtest"]


@spread_options
def backtest(
    source: SourceOptions,
    unit: UnitOption = None,
    test: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="How much of the end to forecast; 14d, or half of a shorter file.",
            show_default=False,
        ),
    ] = None,
    quantiles: Annotated[
        str | None,
        typer.Option(
            metavar="Q,Q,…",
            help="The quantiles to forecast and to score, for example 0.1,0.5,0.9.",
            show_default=False,
        ),
    ] = None,
    baselines: Annotated[
        str,
        typer.Option(metavar="NAME,NAME,…|all|none", help="The rivals to run beside."),
    ] = "all",
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes at a time; one per core.", show_default=False),
    ] = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    json_file: JsonOption = None,
    forecasts_file: Annotated[
        Path | None,
        typer.Option(
            "--forecasts",
            metavar="FILE",
            help="Write every forecast as CSV: cutoff,timestamp,quantile,value; of several "
            "series, a last column series.",
            show_default=False,
        ),
    ] = None,
    html_file: HtmlOption = None,
) -> None:
    """Forecast the end of past traffic from what came before, day by day, and score it.

    Example: preroll backtest traffic.csv --unit requests --test 14d --json out.json
    """
    began = time.monotonic()
    zone = check_zone(timezone)
    asked = read_quantiles(quantiles) if quantiles is not None else None
    check_outputs((json_file, forecasts_file, html_file), source.traffic)
    if jobs is not None and jobs < 1:
        raise typer.BadParameter(f"{jobs} is not above 0", param_hint="--jobs")
    from forecaster.backtest import (
        InputUnit,
        OriginForecast,
        RollingOrigin,
        build_report,
        forecast_rows,
        hold_out_each,
        report_json,
    )
    from forecaster.cli.backtest_view import backtest_page, backtest_report
    from forecaster.models.selection import OutlookConfig

    rivals = _rivals(baselines, zone.key)
    traffic = read_source(source, unit=unit, step=step, timezone=timezone)
    history = [choose_series(traffic, series)] if series else traffic.history
    holdouts, skipped = hold_out_each(history, RollingOrigin(test))
    scored = asked or OutlookConfig().quantiles
    per_step = InputUnit("requests", traffic.history.step.total_seconds())

    def report_on(results: Sequence[OriginForecast | OriginFailure]) -> BacktestReport:
        in_unit = per_step if unit == "requests" else InputUnit()
        return build_report(holdouts, results, scored, in_unit, skipped)

    config = OutlookConfig(quantiles=tuple(sorted({*scored, 0.5})), timezone=zone.key)
    results: list[OriginForecast | OriginFailure] = []
    try:
        _forecast(holdouts, config, rivals, jobs, results)
    except KeyboardInterrupt:
        total = sum(len(one.cutoffs) for one in holdouts)
        print_notice(f"{len(results)} of {total} origins were done; no file was written")
        if any(isinstance(one, OriginForecast) for one in results):
            err().print(backtest_report(report_on(results)))
        raise
    report = report_on(results)
    for notice in (*(one.notice for one in holdouts), *report.notices):
        if notice:
            print_notice(notice)
    if forecasts_file:
        write_rows(forecasts_file, forecast_rows(report))
    if html_file:
        write_text(html_file, backtest_page(report, traffic.title, zone.key))
    if json_file:
        write_json(json_file, report_json(report, time.monotonic() - began))
    print_written(forecasts_file, html_file, json_file)
    if json_file != STDOUT:
        out().print(backtest_report(report))


def _forecast(
    holdouts: Sequence[Holdout],
    config: OutlookConfig,
    rivals: Mapping[str, Baseline],
    jobs: int | None,
    results: list[OriginForecast | OriginFailure],
) -> None:
    """Fill ``results``, one by one, so that what is done is not lost when the rest is stopped."""
    from forecaster.backtest import forecast_origin, map_unordered, origin_tasks

    total = sum(len(one.cutoffs) for one in holdouts)
    processes = min(jobs or os.cpu_count() or 1, total)
    tasks = origin_tasks(holdouts, config, rivals)
    with progress("forecasting", total) as advance:
        for result in map_unordered(forecast_origin, tasks, processes):
            results.append(result)
            advance()


def _rivals(text: str, timezone: str) -> dict[str, Baseline]:
    from forecaster.backtest import SEASONAL_NAIVE, all_baselines, choose_baselines, seasonal_naive

    if text == "none":
        return {}
    if text == SEASONAL_NAIVE:  # without a second or two of imports
        return {SEASONAL_NAIVE: seasonal_naive}
    try:
        return choose_baselines(text, all_baselines(timezone))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--baselines") from error
