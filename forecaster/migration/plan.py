"""``PLAN.md``: the way from the old set-up to Preroll, with the team's own names and commands.

The words are in ``texts/``; here is what is put into them.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files

from forecaster.backtest.phrases import joined
from forecaster.durations import format_duration
from forecaster.migration.hpa_metrics import MetricSource
from forecaster.migration.moves import Moves
from forecaster.migration.old_setup import OldApi
from forecaster.migration.paths import hpa_backup, object_file
from forecaster.migration.plan_commands import (
    adapter_back,
    annotated,
    edit_adapter,
    no_secrets,
    reading,
    rules_elsewhere,
    secrets,
)
from forecaster.migration.plan_parts import by_hand, events, notes, row, stay, when
from forecaster.migration.workload import MigratedWorkload
from forecaster.settings.versions import show_version

__all__ = ["plan_text"]

_GROUP = "external.metrics.k8s.io"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_WIDTH = 100


def plan_text(moves: Moves, traps: Sequence[str] = (), *, compared: bool = False) -> str:
    """The whole plan; ``traps`` are those of the written objects, ``compared`` whether there is a
    ``comparison.md``."""
    count = len(moves.workloads)
    text = _filled(
        "plan.md",
        {
            "count": f"{count} workload{'s move' if count != 1 else ' moves'}",
            "rows": "\n".join(map(row, moves.workloads)),
            "stay": stay(moves),
            "notes": notes(moves, traps),
            "when": when(moves),
            "events": events(moves),
            "by_hand": "\n".join(by_hand(moves)),
            "prometheus": moves.options.prometheus,
            "secrets": "\n".join(secrets(moves)),
            "asked": "\n".join(
                "curl --silent --show-error --write-out '\\n' "
                '--header "Authorization: Bearer $token" '
                f"http://127.0.0.1:8080/v1/targets/{one.workload}"
                for one in moves.workloads
            ),
            "again": reading(moves, ".", "--force"),
            "meanwhile": reading(moves, "meanwhile"),
            "rules_elsewhere": rules_elsewhere(moves),
            "compared": _compared(moves, compared=compared),
            "promql": "\n".join(_watched(moves)),
            "measured": _measured(moves),
            "timezone": moves.options.timezone,
            "external": _external(moves),
            "bare": _bare(moves),
            "api": _api(moves),
            "switches": "\n".join(_switch(one) for one in moves.workloads),
            "all_back": "\n".join(_all_back(moves)),
            "lead_time": format_duration(moves.options.lead_time),
            "holds": "\n".join(annotated(moves, "paused-scale-in=true --overwrite")),
            "unholds": "\n".join(annotated(moves, "paused-scale-in-")),
            "no_secrets": "\n".join(no_secrets(moves)),
            "adapter": _adapter(moves),
            "keda": show_version(moves.options.keda.keda),
            "kubernetes": show_version(moves.options.keda.kubernetes),
        },
    )
    return "\n".join(_wrapped(text.splitlines())) + "\n"


def _filled(name: str, values: Mapping[str, str]) -> str:
    """A text with its places filled in; blank lines never stand together."""
    template = (files("forecaster.migration") / "texts" / name).read_text(encoding="utf-8")
    text = _PLACE.sub(lambda place: values[place[1]], template)
    return re.sub(r"\n{3,}", "\n\n", text)


def _compared(moves: Moves, *, compared: bool) -> str:
    if compared:
        return "`comparison.md` has what both would have run over the last days.\n\n"
    command = reading(moves, "compared", "--traffic http://127.0.0.1:9090")
    return (
        "What both would have run over the last week comes into `compared/comparison.md`, with a "
        "Prometheus that is forwarded to this machine:\n\n"
        f"```sh\n{command}\n```\n\n"
    )


def _watched(moves: Moves) -> Iterable[str]:
    for one in moves.workloads:
        old = one.old
        yield (
            f'preroll_planned_replicas{{namespace="{old.namespace}",workload="{old.target_name}"}}'
        )
        yield (
            "kube_horizontalpodautoscaler_status_current_replicas"
            f'{{namespace="{old.namespace}",horizontalpodautoscaler="{old.name}"}}'
        )


def _measured(moves: Moves) -> str:
    names = [one.workload for one in moves.workloads if one.load.capacity is None]
    if not names:
        return ""
    return (
        f"\n**Nobody knows yet what a replica of {joined(names)} serves** (`capacity: auto`). "
        "Until it is measured no forecast is served for it. `preroll capacity` tells, or write a "
        "number.\n"
    )


def _external(moves: Moves) -> str:
    names = [
        f"`{one.old.namespace}/{one.old.name}`"
        for one in moves.workloads
        if any(metric.source is MetricSource.EXTERNAL for metric in one.old.metrics)
    ]
    return joined(names) or "none"


def _bare(moves: Moves) -> str:
    names = [one.workload for one in moves.workloads if one.only_external]
    if not names:
        return ""
    return (
        f"\n**{joined(names)} has external metrics alone:** in step 5 nothing could scale it up "
        "for some minutes. Give its HPA a cpu metric now, or raise its minReplicas.\n"
    )


def _api(moves: Moves) -> str:
    api = moves.setup.api(_GROUP)
    if api is not None and "keda" in api.service:
        return _filled("plan-api-kedas.md", {"owner": api.service})
    known, adapter, namespace = _adapter_of(api)
    unknown = (
        "\nNo APIService of it was read; see who owns it first: `kubectl get apiservice "
        f"{known.name}`.\n"
    )
    return _filled(
        "plan-api.md",
        {
            "owner": known.service,
            "unknown": "" if api is not None else unknown,
            "adapter": adapter,
            "namespace": namespace,
            "edit": edit_adapter(moves),
            "restore": "\n".join(adapter_back(moves, adapter, namespace, api)),
        },
    )


def _adapter_of(api: OldApi | None) -> tuple[OldApi, str, str]:
    """The APIService, or what is usual; the adapter's name and its namespace."""
    known = api or OldApi(f"v1beta1.{_GROUP}", _GROUP, "monitoring/prometheus-adapter")
    namespace, _, adapter = known.service.partition("/")
    return known, adapter, namespace


def _switch(one: MigratedWorkload) -> str:
    return _filled(
        "plan-workload.md",
        {
            "workload": one.workload,
            "file": object_file(one),
            "name": one.object_name,
            "namespace": one.old.namespace,
            "hpa": one.old.name,
            "triggers": str(len(one.triggers) + 1),
            "backup": hpa_backup(one),
        },
    )


def _all_back(moves: Moves) -> Iterable[str]:
    for one in moves.workloads:
        yield (
            f"kubectl delete scaledobject {one.object_name} --namespace {one.old.namespace} "
            "--cascade=orphan"
        )
    for one in moves.workloads:
        yield f"kubectl replace --filename {hpa_backup(one)}"
    api = moves.setup.api(_GROUP)
    if api is None or "keda" not in api.service:
        yield "kubectl get scaledobjects --all-namespaces     # none may be left"
        yield "helm uninstall keda --namespace keda"
        _, adapter, namespace = _adapter_of(api)
        yield f"helm rollback {adapter} --namespace {namespace}"
        yield "# without a chart, instead of the last line:"
        yield from (
            line if line.startswith("#") else f"# {line}"
            for line in adapter_back(moves, adapter, namespace, api)
        )


def _adapter(moves: Moves) -> str:
    custom = [
        f"{one.namespace}/{one.name}"
        for one in moves.stay
        if any(metric.source in (MetricSource.PODS, MetricSource.OBJECT) for metric in one.metrics)
    ]
    if custom:
        return f"Keep prometheus-adapter: {joined(custom)} still asks it for its own metrics."
    return (
        "If no HPA is left that asks prometheus-adapter (`kubectl get hpa --all-namespaces`), it "
        "can go as well."
    )


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    """Prose and lists to a width that a terminal has; tables and commands stay as they are."""
    fenced, held = False, ""
    for line in lines:
        fence = line.startswith("```")
        prose = not (fenced or fence or not line or line.startswith(("|", "#")))
        item = line.startswith("- ")
        if held and (not prose or item):
            yield from _folded(held)
            held = ""
        if prose:
            held = f"{held} {line}" if held else line
        else:
            yield line
        fenced ^= fence
    if held:
        yield from _folded(held)


def _folded(text: str) -> list[str]:
    inner = "  " if text.startswith("- ") else ""
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
    )
