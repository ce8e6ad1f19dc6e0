"""``preroll backtest``: what Preroll would have said of past traffic, and what it had come to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.calendar_option import EventsOption, read_events
from forecaster.cli.options import (
    HtmlOption,
    JsonOption,
    SeriesOption,
    StepOption,
    TimezoneOption,
    UnitOption,
    read_duration,
    read_levels,
)
from forecaster.cli.output import STDOUT, check_outputs, write_json, write_rows, write_text
from forecaster.cli.proof_options import ProofOptions
from forecaster.cli.source_options import SourceOptions, spread_options
from forecaster.cli.terminal import err, out, print_notice, print_written, progress_of_parts
from forecaster.cli.traffic_input import check_step, check_zone, choose_series
from forecaster.cli.traffic_source import read_source

if TYPE_CHECKING:
    from forecaster.backtest import Baseline, InputUnit
    from forecaster.backtest.proof import Proof, ProofSettings
    from forecaster.backtest.proof_run import Findings, ProofPlan
    from forecaster.traffic.history import TrafficSeries

__all__ = ["backtest"]


@spread_options
def backtest(
    source: SourceOptions,
    options: ProofOptions,
    unit: UnitOption = None,
    test: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="How much of the end to test on; 14d, or half of a shorter file.",
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
        str | None,
        typer.Option(
            metavar="NAME,NAME,…|all|none",
            help="The outlook's rivals, day by day; seasonal_naive.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes at a time; one per core.", show_default=False),
    ] = None,
    step: StepOption = None,
    timezone: TimezoneOption = None,
    series: SeriesOption = None,
    events: EventsOption = None,
    json_file: JsonOption = None,
    decisions_file: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="FILE",
            help="Write every decision as CSV: timestamp, quantile, lead_peak, replicas; of "
            "several series, a last column series; - for stdout. Alone, it runs no rival.",
            show_default=False,
        ),
    ] = None,
    forecasts_file: Annotated[
        Path | None,
        typer.Option(
            "--forecasts",
            metavar="FILE",
            help="Write every day-ahead forecast as CSV: cutoff, timestamp, quantile, value; of "
            "several series, a last column series; - for stdout.",
            show_default=False,
        ),
    ] = None,
    html_file: HtmlOption = None,
) -> None:
    """Prove it on past traffic: what would have been decided, and what each autoscaler had run.

    Models are trained day by day on what came before; all decisions use what
    had ended by then. Of --events the whole calendar counts as known all along,
    whenever an event was added: hindsight flatters.

    Example: preroll backtest traffic.csv --unit requests --lead-time 5m --frontier
    """
    began = time.monotonic()
    zone = check_zone(timezone)
    levels = read_levels(quantiles) if quantiles is not None else None
    files = (decisions_file, forecasts_file, html_file, json_file)
    check_outputs(files, source.traffic)
    if jobs is not None and jobs < 1:
        raise typer.BadParameter(f"{jobs} is not above 0", param_hint="--jobs")
    rivals = (
        decisions_file is None
        or options.frontier
        or any(one is not None for one in (*files[1:], options.policies, baselines))
    )
    asked = options.settings(levels=levels, rivals=rivals, timezone=zone.key)
    chosen = _baselines(baselines or ("seasonal_naive" if rivals else "none"), zone.key)
    from forecaster.backtest.proof_assembly import left_out_notices
    from forecaster.backtest.proof_json import proof_decision_rows, proof_json
    from forecaster.cli.proof_view import proof_report

    traffic = read_source(source, unit=unit, step=step, timezone=timezone)
    history = [choose_series(traffic, series)] if series else list(traffic.history)
    check_step(traffic, history[0].step)
    since, until = min(one.start for one in history), max(one.end for one in history)
    asked = replace(asked, calendar=read_events(events, timezone, since, until))
    plan = _plan(history, test, asked, levels, chosen)
    if forecasts_file:
        _check_forecasts(plan)
    proof = _prove(plan, _unit(unit, history[0].step), jobs)
    for notice in (*left_out_notices(proof), *proof.notices):
        print_notice(notice)
    if decisions_file:
        write_rows(decisions_file, proof_decision_rows(proof))
    if forecasts_file:
        write_rows(forecasts_file, _forecast_rows(proof))
    if html_file:
        from forecaster.plots import proof_page

        write_text(html_file, proof_page(proof, title=f"Backtest of {traffic.title}"))
    if json_file:
        write_json(json_file, proof_json(proof, time.monotonic() - began))
    print_written(*files)
    if STDOUT not in files:
        out().print(proof_report(proof))


def _check_forecasts(plan: ProofPlan) -> None:
    """HistoryTooShort where no series is long enough for forecasts a day ahead, before any work."""
    from forecaster.errors import HistoryTooShort

    if all(part.holdout is None for part in plan.parts):
        first = plan.parts[0]
        raise HistoryTooShort(
            f"there are no day-ahead forecasts to write: {first.series.series_id}: "
            f"{first.why_not}; leave --forecasts out"
        )


def _forecast_rows(proof: Proof) -> Iterator[tuple[str, ...]]:
    """The forecasts; their header alone where none was made, which a notice says already."""
    from forecaster.backtest.report import FORECAST_COLUMNS, forecast_rows

    if proof.day_ahead is None:
        return iter([(*FORECAST_COLUMNS, *(("series",) if len(proof.series) > 1 else ()))])
    return forecast_rows(proof.day_ahead)


def _plan(
    history: list[TrafficSeries],
    test: timedelta | None,
    asked: ProofSettings,
    levels: tuple[float, ...] | None,
    baselines: dict[str, Baseline],
) -> ProofPlan:
    from forecaster.backtest.proof_parts import hold_out_parts
    from forecaster.backtest.proof_run import ProofPlan
    from forecaster.models.outlook import DEFAULT_QUANTILES
    from forecaster.planning.capacity import ScalingRule
    from forecaster.planning.limits import LEAST_QUANTILE, MOST_QUANTILE, QUANTILE_REASON

    lead_steps = ScalingRule(1.0, asked.lead_time).lead_steps(history[0].step)
    parts, left_out = hold_out_parts(history, test, lead_steps)
    told = [one for one in levels or DEFAULT_QUANTILES if LEAST_QUANTILE <= one <= MOST_QUANTILE]
    if levels and len(told) < len(levels):
        rare = ", ".join(repr(one) for one in levels if one not in told)
        print_notice(f"the outlook is not forecast at {rare}: {QUANTILE_REASON}")
    return ProofPlan(asked, parts, left_out, tuple(told) or (0.5,), baselines)


def _prove(plan: ProofPlan, unit: InputUnit, jobs: int | None) -> Proof:
    """Do the work; when it is stopped, show what is done and go on stopping."""
    from forecaster.backtest.proof_assembly import assemble
    from forecaster.backtest.proof_run import Findings, find
    from forecaster.backtest.verdict import verdict

    findings = Findings()
    try:
        with progress_of_parts("backtesting") as told:
            find(plan, findings, jobs or os.cpu_count() or 1, told)
            proof = assemble(plan, findings, unit)
            verdict(proof)  # the last work there is; it is kept for all that is written
    except KeyboardInterrupt:
        print_notice(f"{findings.trained} of {plan.origins} origins were done; no file was written")
        _show_partial(plan, findings, unit)
        raise
    return proof


def _show_partial(plan: ProofPlan, findings: Findings, unit: InputUnit) -> None:
    from forecaster.backtest.proof_assembly import assemble
    from forecaster.cli.proof_view import proof_report
    from forecaster.errors import HistoryTooShort

    try:
        partial = assemble(plan, findings, unit)
    except HistoryTooShort:  # not one first origin
        return
    err().print(proof_report(partial))


def _unit(unit: str | None, step: timedelta) -> InputUnit:
    from forecaster.backtest import InputUnit

    return InputUnit("requests", step.total_seconds()) if unit == "requests" else InputUnit()


def _baselines(text: str, timezone: str) -> dict[str, Baseline]:
    from forecaster.backtest import SEASONAL_NAIVE, all_baselines, choose_baselines, seasonal_naive

    if text == "none":
        return {}
    if text == SEASONAL_NAIVE:  # without a second or two of imports
        return {SEASONAL_NAIVE: seasonal_naive}
    try:
        return choose_baselines(text, all_baselines(timezone))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--baselines") from error
