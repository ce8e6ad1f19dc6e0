"""A workload's traffic and what one replica serves of it, as far as the old set-up tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecaster.migration.hpa_metrics import MetricSource, OldMetric
from forecaster.migration.old_setup import OldAutoscaler
from forecaster.migration.quantity import plain_number
from forecaster.migration.translated import Translated, pods_of

__all__ = ["USUAL_SHARE", "Load", "load_of", "traffic_query"]

USUAL_SHARE = 0.7
"""How full a replica is when its HPA is content, where nobody says: the usual target of CPU."""

_REQUESTS = re.compile(r"request|rps|qps|(^|_)hits|calls|queries", re.IGNORECASE)
_PER_REPLICA = "AverageValue"


@dataclass(frozen=True)
class Load:
    """``promql`` gives one number, the workload's whole traffic per second in ``unit``.

    ``capacity`` is what one replica serves of it at its target; None: to be measured. ``share`` is
    how full a replica is then. ``assumed`` where any of this is a guess, ``told`` says what.
    """

    promql: str
    unit: str
    capacity: float | None
    share: float
    assumed: bool
    told: tuple[str, ...]


def load_of(
    old: OldAutoscaler, metrics: Sequence[OldMetric], translated: Sequence[Translated]
) -> Load:
    """From what the HPA aims at: requests per replica, else CPU per replica, else nothing.

    ``metrics`` and ``translated`` are those that are not the exporter's.
    """
    for one in translated:
        told_by = one.metric.name, one.series
        requests = any(_REQUESTS.search(name) for name in told_by)
        if one.promql and requests and one.metric.target_type == _PER_REPLICA:
            target = one.metric.target
            text = (
                f"traffic is the query of {one.metric.name}, and one replica serves the HPA's "
                f"target of it, {plain_number(target)}"
            )
            return Load(one.promql, "requests", target, USUAL_SHARE, False, (text,))
    cpu = next((one for one in metrics if _is_cpu(one)), None)
    cores = None if cpu is None else _cores(cpu, old.requests_cpu)
    if cpu is not None and cores is not None:
        by_share = cpu.target_type == "Utilization"
        of = f"{plain_number(cpu.target)} % of the {plain_number(old.requests_cpu or 0)} requested"
        text = (
            "no metric of its HPA tells requests: traffic is the CPU that its pods use, in cores, "
            f"and one replica serves {plain_number(cores)}" + (f", {of}" if by_share else "")
        )
        share = cpu.target / 100 if by_share else USUAL_SHARE
        return Load(_cpu_query(old), "cores", cores, share, False, (text,))
    why = (
        "the HPA has no target per replica"
        if cpu is None
        else f"give the {old.target_kind} too, for what a pod requests"
    )
    text = (
        f"nobody says what one replica serves ({why}): capacity is to be measured, and until then "
        "nothing is served. Traffic is http_requests_total of its pods: see whether there is one"
    )
    return Load(_http_query(old), "requests", None, USUAL_SHARE, True, (text,))


def traffic_query(loads: Iterable[tuple[str, str, str]]) -> str:
    """One expression for all workloads, each (namespace, name, query) with labels of its own.

    >>> traffic_query([("tv", "web", "sum(up)")])
    'label_replace(label_replace(sum(up), "namespace", "tv", "", ""), "deployment", "web", "", "")'
    """
    return "\nor\n".join(
        f'label_replace(label_replace({query}, "namespace", "{namespace}", "", ""), '
        f'"deployment", "{name}", "", "")'
        for namespace, name, query in loads
    )


def _is_cpu(metric: OldMetric) -> bool:
    return metric.name == "cpu" and metric.source is MetricSource.RESOURCE


def _cores(cpu: OldMetric, requested: float | None) -> float | None:
    if cpu.target_type == _PER_REPLICA:
        return cpu.target
    return None if requested is None else requested * cpu.target / 100


def _cpu_query(old: OldAutoscaler) -> str:
    return f'sum(rate(container_cpu_usage_seconds_total{{{_pods(old)},container!=""}}[2m]))'


def _http_query(old: OldAutoscaler) -> str:
    return f"sum(rate(http_requests_total{{{_pods(old)}}}[2m]))"


def _pods(old: OldAutoscaler) -> str:
    return f"namespace={json.dumps(old.namespace)},pod=~{json.dumps(pods_of(old))}"
