"""``preroll export``: past traffic from a server into a file that every other command reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.config_option import OptionalConfigOption, find_config, refuse_config
from forecaster.cli.options import StepOption
from forecaster.cli.output import STDOUT, check_outputs, replacing
from forecaster.cli.source_options import ServerOptions, spread_options
from forecaster.cli.terminal import print_notice, print_written
from forecaster.cli.traffic_source import read_server
from forecaster.durations import format_duration

if TYPE_CHECKING:
    from forecaster.cli.traffic_input import TrafficInput
    from forecaster.traffic.history import TrafficHistory

__all__ = ["export"]

_ENDINGS = (".csv", ".csv.gz", ".parquet")


@spread_options
def export(
    server: ServerOptions,
    config: OptionalConfigOption = None,
    step: StepOption = None,
    out_file: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A file that ends in .csv, .csv.gz or .parquet; - for CSV on stdout.",
        ),
    ] = STDOUT,
) -> None:
    """Write past traffic, as a server has it, to a file that plan and backtest read.

    The columns are series, timestamp (the start of a step, UTC) and value
    (traffic per second, to the last digit); a gap is an absent row. One series
    that is called like the file needs no column series. The file appears whole
    or not at all.

    Example: preroll export --prometheus http://prometheus:9090 --query
    'sum by (namespace, deployment) (rate(http_requests_total[1m]))' --days 28 --out traffic.csv
    """
    check_outputs((out_file,), None)
    if out_file.suffix and not out_file.name.endswith(_ENDINGS):
        raise typer.BadParameter(
            f"{out_file} ends in none of {', '.join(_ENDINGS)}; write for example traffic.csv",
            param_hint="--out",
        )
    traffic = _read(server, config, step, out_file)
    from forecaster.traffic.writers import write_traffic

    history = traffic.history
    print_notice(_summary(history))
    if out_file == STDOUT:
        write_traffic(sys.stdout.buffer, "-", history)
    else:
        with replacing(out_file) as file:
            write_traffic(file, out_file.name, history)
    if not _tells_its_step(history):
        print_notice(
            f"most of its steps are gaps; to read it, add --step {format_duration(history.step)}"
        )
    print_written(out_file)


def _read(
    server: ServerOptions, config: Path | None, step: StepOption, out_file: Path
) -> TrafficInput:
    if server.prometheus is not None:
        refuse_config(config, "--prometheus")
        from forecaster.traffic.formats.tables import file_stem

        unnamed = "traffic" if out_file == STDOUT else file_stem(out_file)
        return read_server(server, unit=None, step=step, unnamed=unnamed)
    config = find_config(config)
    if config is None:
        server.check_server()
        raise typer.BadParameter(
            "where is the traffic? Write for example --prometheus http://prometheus:9090 --query "
            "'sum(rate(http_requests_total[1m]))', or --config preroll.yaml",
            param_hint="--prometheus",
        )
    from forecaster.cli.configured_source import read_configured

    return read_configured(config, server, step)


def _summary(history: TrafficHistory) -> str:
    import numpy as np

    gaps = sum(int(np.isnan(one.rate_rps).sum()) for one in history)
    steps = sum(len(one) for one in history)
    start, end = min(one.start for one in history), max(one.end for one in history)
    return (
        f"{len(history)} series, {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, "
        f"{steps - gaps:,} values at a step of {format_duration(history.step)}, {gaps:,} gaps; "
        "values are per second"
    )


def _tells_its_step(history: TrafficHistory) -> bool:
    """Whether the rows alone show the step, so that a reader need not be told."""
    import numpy as np

    from forecaster.traffic.step import find_step_change, infer_step

    step_us = round(history.step.total_seconds() * 1e6)
    stamps = [np.flatnonzero(~np.isnan(one.rate_rps)) * step_us for one in history]
    return all(
        infer_step([np.diff(at)]) == step_us and find_step_change(at, step_us) is None
        for at in stamps
    )
