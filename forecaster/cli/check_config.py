"""``preroll check-config`` and ``preroll schema``: settings, before anything runs on them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import typer

from forecaster.cli.config_option import USUAL_CONFIG, ConfigOption
from forecaster.cli.terminal import out, print_warning
from forecaster.durations import format_duration

if TYPE_CHECKING:
    from rich.table import Table

    from forecaster.settings import Fleet, KubernetesSettings, Settings

__all__ = ["check_config", "schema"]


def check_config(config: ConfigOption = USUAL_CONFIG) -> None:
    """Check the settings and show how they are understood.

    All problems are listed at once, each with its place and a valid example; the exit code is 2
    then. A traffic file and calendars in files are opened, and what does not fit is a warning.
    Nothing is asked over the network.

    Example: preroll check-config --config preroll.yaml
    """
    from forecaster.settings import load_settings

    settings = load_settings(config, os.environ)
    console = out()
    console.print(f"{config}: the settings are valid", markup=False, soft_wrap=True)
    console.print()
    for name, value in _lines(settings):
        console.print(f"{name:<9} {value}", markup=False, soft_wrap=True)
    console.print()
    console.print(_table(settings.fleet))
    for warning in _warnings(settings):
        print_warning(warning)


def _warnings(settings: Settings) -> list[str]:
    from forecaster.cli.capacity_check import capacity_warnings
    from forecaster.cli.check_events import event_warnings
    from forecaster.settings import FileSettings
    from forecaster.worker import utc_now

    warnings = []
    if settings.server.open_to_others:
        warnings.append(
            f"server.host is {settings.server.host} and there are no tokens: everybody who reaches "
            "the port may read targets and traffic; write for example server: "
            "{tokens_file: /etc/preroll/tokens}"
        )
    if isinstance(settings.source, FileSettings):
        from forecaster.cli.check_file import file_warnings

        warnings += file_warnings(settings.source, settings.fleet, utc_now())
    warnings += capacity_warnings(settings)
    return [*warnings, *event_warnings(settings.events, settings.fleet, utc_now())]


def schema() -> None:
    """Print the JSON schema of preroll.yaml, for editors.

    Example: preroll schema > preroll.schema.json
    """
    from forecaster.settings import settings_schema

    typer.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))


def _lines(settings: Settings) -> list[tuple[str, str]]:
    from forecaster.cli.check_events import events_line
    from forecaster.settings import PLAN_HORIZON, PrometheusSettings

    fleet, source, server = settings.fleet, settings.source, settings.server
    if isinstance(source, PrometheusSettings):
        from_where = f"{source.connection.shown}\n{'':<9} {source.query.promql}"
    else:
        from_where = f"{source.path}, values in {source.unit}"
    guard = _counted(server.tokens) if server.tokens else "open, no tokens"
    writers = _counted(server.events_tokens) if server.events_tokens else "no token"
    return [
        ("source", from_where),
        (
            "training",
            f"every {format_duration(fleet.train_every)} on {format_duration(fleet.history)} of "
            f"traffic; plans reach {PLAN_HORIZON.total_seconds() / 3600:g} h ahead",
        ),
        ("grid", f"steps of {format_duration(fleet.step)}, days of {fleet.timezone}"),
        ("live", f"traffic counts for {format_duration(fleet.live_age)}, then the outlook speaks"),
        ("events", f"{events_line(settings.events)}; over REST: {writers}"),
        ("cluster", _cluster(settings.kubernetes)),
        ("server", f"{server.host}:{server.port}, {guard}"),
        ("store", str(settings.store_path)),
        ("log", f"{settings.log.level}, {settings.log.format}"),
    ]


def _cluster(kubernetes: KubernetesSettings) -> str:
    if not kubernetes.watch:
        return "not read"
    where = ", ".join(kubernetes.namespaces) or "all namespaces"
    more = [
        what
        for what, is_on in (
            ("annotations", kubernetes.annotations),
            ("nodes", kubernetes.nodes),
            ("writes Events", kubernetes.events),
        )
        if is_on
    ]
    return "; ".join((where, *more))


def _counted(tokens: tuple[str, ...]) -> str:
    return f"{len(tokens)} token{'' if len(tokens) == 1 else 's'}"


def _table(fleet: Fleet) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("workload", "mode"):
        table.add_column(column, overflow="fold")
    for column in ("rps a replica", "lead time", "quantile", "replicas", "hold-down"):
        table.add_column(column, justify="right")
    for one in fleet.workloads:
        rule, auto = one.rule, one.measured
        table.add_row(
            one.workload,
            auto.mode.value if one.why_off else rule.mode.value,
            "auto" if auto.capacity else f"{rule.capacity_rps:,g}",
            "auto" if auto.lead_time else format_duration(rule.lead_time),
            repr(rule.quantile),
            f"{rule.min_replicas} to {rule.max_replicas}",
            format_duration(rule.hold_down),
        )
    return table
