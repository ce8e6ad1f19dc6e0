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
from forecaster.migration.paths import api_backup, hpa_backup, object_file
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
            "secrets": "\n".join(_secrets(moves)),
            "asked": "\n".join(
                'curl --silent --header "Authorization: Bearer $token" '
                f"http://127.0.0.1:8080/v1/targets/{one.workload}"
                for one in moves.workloads
            ),
            "compared": _compared(compared=compared),
            "promql": "\n".join(_watched(moves)),
            "measured": _measured(moves),
            "timezone": moves.options.timezone,
            "external": _external(moves),
            "bare": _bare(moves),
            "api": _api(moves),
            "switches": "\n".join(_switch(one) for one in moves.workloads),
            "all_back": "\n".join(_all_back(moves)),
            "lead_time": format_duration(moves.options.lead_time),
            "holds": "\n".join(
                f"kubectl annotate scaledobject {one.object_name} --namespace "
                f"{one.old.namespace} autoscaling.keda.sh/paused-scale-in=true"
                for one in moves.workloads
            ),
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


def _secrets(moves: Moves) -> Iterable[str]:
    for namespace in sorted({one.old.namespace for one in moves.workloads}):
        yield (
            f"kubectl create secret generic {moves.options.keda.secret} --namespace {namespace} "
            '--from-literal=token="$token"'
        )


def _compared(*, compared: bool) -> str:
    if compared:
        return "`comparison.md` has what both would have run over the last days. "
    return (
        "`preroll migrate … --traffic FILE` writes `comparison.md`, with what both would have run "
        "over the last week. "
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
    known = api or OldApi(f"v1beta1.{_GROUP}", _GROUP, "monitoring/prometheus-adapter")
    namespace, _, adapter = known.service.partition("/")
    places = [rule.place for rule in moves.setup.rules if rule.external]
    configuration = places[0].rpartition(", ")[0] if places else "its configuration"
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
            "configuration": configuration,
            "restore": _restore(api),
        },
    )


def _restore(api: OldApi | None) -> str:
    if api is None:
        return "# and the adapter's APIService, as it was installed"
    return f"kubectl apply --filename {api_backup(api)}"


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
        yield "# then the adapter: the way back above"


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
