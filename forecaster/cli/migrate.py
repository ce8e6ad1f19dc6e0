"""``preroll migrate``: from prescaling-exporter and prometheus-adapter to Preroll."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.migrate_files import check_folder, read_inputs, write_folder
from forecaster.cli.options import UnitOption, check_lead_time, read_duration
from forecaster.cli.terminal import out, print_notice, print_warning
from forecaster.cli.traffic_input import check_zone

if TYPE_CHECKING:
    from forecaster.migration.moves import Moves
    from forecaster.settings.versions import Version

__all__ = ["migrate"]

_COMPARISON = "Comparison"
_DAYS = 7


def migrate(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MANIFESTS...",
            help="Files and folders of YAML or JSON, or - for standard input: HPAs, "
            "PrescalingEvents, Deployments, prometheus-adapter's ConfigMap or its rules, "
            "APIServices.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The folder to write to.", show_default=False
        ),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(
            "--prometheus",
            metavar="URL",
            help="Where Preroll and KEDA reach Prometheus; http://prometheus.monitoring.svc:9090 "
            "where left out.",
            show_default=False,
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="The exporter's time zone, that of its process (TZ), for example Europe/Paris.",
        ),
    ] = "UTC",
    lead_time: Annotated[
        timedelta,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="From 'asked for' to 'pod ready'.",
            show_default="5m",
        ),
    ] = timedelta(minutes=5),
    kubernetes: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The cluster's version.", show_default="1.35"),
    ] = None,
    keda: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="KEDA's version.", show_default="2.20"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    traffic: Annotated[
        str | None,
        typer.Option(
            "--traffic",
            metavar="FILE|URL",
            help="Past traffic, one series for each workload, called namespace/name; or a "
            "Prometheus that can be reached from here. With it the old set-up is compared.",
            show_default=False,
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    unit: UnitOption = None,
    days: Annotated[
        int,
        typer.Option(
            min=1,
            max=90,
            help="How many days are compared, the last ones.",
            rich_help_panel=_COMPARISON,
        ),
    ] = _DAYS,
) -> None:
    """Move from prescaling-exporter and prometheus-adapter to Preroll and KEDA.

    Writes Preroll's settings and events, the ScaledObjects, and PLAN.md: the way
    there, step by step, and the way back. Nothing in the cluster is touched.

    Example: kubectl get hpa,deploy,prescalingevents,cm -A -o yaml | preroll migrate - -o new

    Example: preroll migrate manifests/ -o migration --traffic traffic.csv --timezone Europe/Paris
    """
    if output is None:
        raise typer.BadParameter(
            "where to? Write for example --output migration", param_hint="--output"
        )
    if not manifests:
        raise typer.BadParameter(
            "which manifests? Write for example manifests/, or - for standard input",
            param_hint="MANIFESTS",
        )
    check_lead_time(lead_time)
    check_zone(timezone)
    check_folder(output)
    moves = _moves(manifests, prometheus, timezone, lead_time, kubernetes, keda)
    from forecaster.cli.migrate_comparison import compared_with, read_past
    from forecaster.migration.files import migration_files

    window = timedelta(days=days)
    past = None if traffic is None else read_past(moves, traffic, unit, window)
    compared, left_out = ((), ()) if past is None else compared_with(moves, past, window)
    written = migration_files(moves, compared, left_out)
    write_folder(output, written.texts, force=force)
    for trap in written.traps:
        print_warning(str(trap))
    for text in (*moves.notes, *left_out):
        print_notice(text)
    from forecaster.cli.migrate_view import migration_report

    out().print(migration_report(moves, compared, output), soft_wrap=True)


def _moves(
    manifests: list[str],
    prometheus: str | None,
    timezone: str,
    lead_time: timedelta,
    kubernetes: str | None,
    keda: str | None,
) -> Moves:
    from forecaster.errors import ManifestError
    from forecaster.keda import DEFAULT_OPTIONS, ScaledObjectOptions
    from forecaster.migration.manifests import read_manifests
    from forecaster.migration.moves import MoveOptions, plan_moves
    from forecaster.migration.old_setup import read_old_setup
    from forecaster.migration.settings_file import PLACEHOLDER_URL

    objects = ScaledObjectOptions(
        kubernetes=_version(kubernetes, DEFAULT_OPTIONS.kubernetes, "--kubernetes"),
        keda=_version(keda, DEFAULT_OPTIONS.keda, "--keda"),
    )
    url = _url(prometheus) if prometheus is not None else PLACEHOLDER_URL
    options = MoveOptions(url, timezone, lead_time, objects)
    moves = plan_moves(read_old_setup(read_manifests(read_inputs(manifests))), options)
    if not moves.workloads:
        found = len(moves.setup.autoscalers)
        raise ManifestError(
            f"{', '.join(manifests)}: nothing is there to move: {found} HPA"
            f"{'' if found == 1 else 's'}, none with the exporter's annotations or metric, and "
            "none that asks for external metrics. Write for example: kubectl get "
            "hpa,prescalingevents --all-namespaces --output yaml | preroll migrate - --output "
            "migration"
        )
    return moves


def _version(text: str | None, default: Version, option: str) -> Version:
    from forecaster.settings.versions import (
        OLDEST_KEDA,
        OLDEST_KUBERNETES,
        read_version,
        show_version,
    )

    if text is None:
        return default
    try:
        return read_version(text, OLDEST_KEDA if option == "--keda" else OLDEST_KUBERNETES)
    except ValueError as error:
        example = f"{error}; write for example {show_version(default)}"
        raise typer.BadParameter(example, param_hint=option) from error


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "#" in text:
        raise typer.BadParameter(
            f"{text!r} is not an address; write for example http://prometheus.monitoring.svc:9090",
            param_hint="--prometheus",
        )
    return text.rstrip("/")
