"""``preroll.yaml`` for the workloads that move, in shadow mode."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.migration.load import traffic_query
from forecaster.migration.quantity import plain_number
from forecaster.migration.scalar import plain_scalar
from forecaster.migration.workload import MigratedWorkload
from forecaster.settings.versions import Version, show_version

__all__ = ["EVENTS_FILE", "PLACEHOLDER_URL", "settings_text"]

PLACEHOLDER_URL = "http://prometheus.monitoring.svc:9090"
EVENTS_FILE = "events.yaml"

_TEMPLATE = """\
# Settings of Preroll for what prescaling-exporter and prometheus-adapter scaled until now.
#
#   preroll check-config --config preroll.yaml
#
# The one thing to edit is the source's address, if it is another. Address, port, tokens and store
# of the server are the pod's: the chart sets them.

source:
  prometheus:
    url: {url}
    # One expression with a part for each workload: what its HPA counted, as its adapter asked it.
    query: |-
{query}

# The exporter's time zone was that of its process; the audience's keeps prime time at its hour.
timezone: {timezone}

defaults:
  # From "value served" to "pod ready". Measure yours: it decides more than any other key.
  lead_time: {lead_time}
  # KEDA gets 0, "no floor", while everything is planned and shown.
  mode: shadow

workloads:
{workloads}
# The exporter's daily windows and events.
events:
  timezone: {timezone}
  sources:
    - {{name: exporter, file: {events}}}

# What preroll scaledobject writes for other workloads.
keda:
  authenticate: true
  version: "{keda}"
  kubernetes_version: "{kubernetes}"
"""


def settings_text(
    workloads: Sequence[MigratedWorkload],
    *,
    url: str,
    timezone: str,
    lead_time: str,
    versions: tuple[Version, Version],
) -> str:
    """The whole file; the same workloads give the same text. ``versions`` are KEDA's and
    Kubernetes'."""
    query = traffic_query(
        (one.old.namespace, one.old.target_name, one.load.promql) for one in workloads
    )
    return _TEMPLATE.format(
        url=plain_scalar(url),
        query="\n".join(f"      {line}" for line in query.splitlines()),
        timezone=timezone,
        lead_time=lead_time,
        workloads="\n".join(_workload(one) for one in workloads),
        events=EVENTS_FILE,
        keda=show_version(versions[0]),
        kubernetes=show_version(versions[1]),
    )


def _workload(one: MigratedWorkload) -> str:
    old, load = one.old, one.load
    capacity = "auto" if load.capacity is None else plain_number(load.capacity)
    lines = [
        f"  - namespace: {plain_scalar(old.namespace)}",
        f"    name: {plain_scalar(old.target_name)}",
        f"    # In {load.unit} per second, of one replica at its target."
        if load.unit == "requests"
        else "    # In CPU cores, of one replica at its target.",
        f"    capacity: {capacity}",
        f"    min_replicas: {old.min_replicas}",
        f"    max_replicas: {old.max_replicas}",
    ]
    labels = {key: value for key, value in sorted(old.manifest.labels.items()) if "/" not in key}
    if labels:
        told = ", ".join(f"{plain_scalar(k)}: {plain_scalar(v)}" for k, v in labels.items())
        lines.append(f"    labels: {{{told}}}")
    return "".join(f"{line}\n" for line in lines)
