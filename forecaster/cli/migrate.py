"""``preroll migrate``: from prescaling-exporter and prometheus-adapter to Preroll."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.migrate_cluster import check_source, read_from_cluster
from forecaster.cli.migrate_files import check_folder, read_inputs, write_folder
from forecaster.cli.migrate_options import move_options
from forecaster.cli.options import UnitOption, check_lead_time, read_duration
from forecaster.cli.terminal import out, print_notice, print_warning
from forecaster.cli.traffic_input import check_zone
from forecaster.cli.version_options import KedaOption, KubernetesOption

if TYPE_CHECKING:
    from forecaster.migration.from_cluster import ClusterManifests
    from forecaster.migration.moves import MoveOptions, Moves

__all__ = ["migrate"]

_CLUSTER = "Cluster"
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
    kubernetes: KubernetesOption = None,
    keda: KedaOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    cluster: Annotated[
        bool,
        typer.Option(
            "--cluster",
            help="Read from the cluster itself, besides MANIFESTS if there are any.",
            rich_help_panel=_CLUSTER,
        ),
    ] = False,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="How it is reached; the pod's service account, or kubectl's, where left out.",
            show_default=False,
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The context of the kubeconfig.",
            show_default="the current one",
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NS",
            help="A namespace whose HPAs are read; may be repeated. All where left out.",
            show_default=False,
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    adapter_configmap: Annotated[
        list[str] | None,
        typer.Option(
            "--adapter-configmap",
            metavar="NS/NAME",
            help="The ConfigMap of prometheus-adapter, where its name and labels are not the "
            "usual ones.",
            show_default=False,
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
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

    Example: preroll migrate --cluster --context production --timezone Europe/Paris -o migration

    Example: preroll migrate manifests/ -o migration --traffic traffic.csv --timezone Europe/Paris
    """
    if output is None:
        raise typer.BadParameter(
            "where to? Write for example --output migration", param_hint="--output"
        )
    only_with_cluster: dict[str, object] = {
        "--kubeconfig": kubeconfig,
        "--context": context,
        "--namespace": namespace,
        "--adapter-configmap": adapter_configmap,
    }
    check_source(manifests, cluster=cluster, only_with_cluster=only_with_cluster)
    check_lead_time(lead_time)
    check_zone(timezone)
    check_folder(output)
    options = move_options(prometheus, timezone, lead_time, kubernetes, keda)
    read = None
    if cluster:
        read = read_from_cluster(kubeconfig, context, namespace or (), adapter_configmap or ())
        for text in read.missing:
            print_warning(text)
    moves = _moves(manifests or (), read, options)
    from forecaster.cli.migrate_comparison import compared_with, read_past
    from forecaster.migration.files import migration_files

    window = timedelta(days=days)
    past = None if traffic is None else read_past(moves, traffic, unit, window)
    compared, left_out = ((), ()) if past is None else compared_with(moves, past, window)
    written = migration_files(moves, compared, left_out)
    write_folder(output, written.texts, force=force)
    for trap in written.traps:
        print_warning(str(trap))
    warned = () if read is None else read.missing
    for text in (*moves.notes, *left_out):
        if text not in warned:
            print_notice(text)
    from forecaster.cli.migrate_view import migration_report

    out().print(migration_report(moves, compared, output), soft_wrap=True)


def _moves(manifests: Sequence[str], read: ClusterManifests | None, options: MoveOptions) -> Moves:
    """Manifests first: what stands in them counts, and the cluster has the rest."""
    from forecaster.errors import ManifestError
    from forecaster.migration.manifests import read_manifests
    from forecaster.migration.moves import plan_moves
    from forecaster.migration.old_setup import read_old_setup

    objects = read_manifests(read_inputs(manifests)) if manifests else ()
    notes: tuple[str, ...] = ()
    if read is not None:
        objects = (*objects, *read.manifests)
        notes = (*read.missing, *read.notes)
    moves = plan_moves(read_old_setup(objects, notes), options)
    if not moves.workloads:
        found = len(moves.setup.autoscalers)
        sources = [*manifests, *([] if read is None else ["the cluster"])]
        raise ManifestError(
            f"{', '.join(sources)}: nothing is there to move: {found} HPA"
            f"{'' if found == 1 else 's'}, none with the exporter's annotations or metric, and "
            "none that asks for external metrics. Write for example: kubectl get "
            "hpa,prescalingevents --all-namespaces --output yaml | preroll migrate - --output "
            "migration"
        )
    return moves
