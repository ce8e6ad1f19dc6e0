"""Head-room as the endpoint tells it: the answer to KEDA, and the metric."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated
from weakref import WeakSet

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import Field

from api.view import Replicas, Text, View
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.headroom import headroom_of

__all__ = ["HeadroomCollector", "HeadroomView", "Headrooms"]

_LOG = logging.getLogger(__name__)


class HeadroomView(View):
    """What KEDA reads for the placeholder pods of a workload, and why."""

    replicas: Annotated[
        Replicas, Field(description="Placeholders to hold places; 0 also where that is in doubt.")
    ]
    reasons: list[Text]


class Headrooms:
    """What is told of head-room, by route and metric; ``cluster`` gives what is known at each time.

    Where a workload's cannot be computed it is 0, and that is logged once a state: an error would
    make the HPA hold the placeholders, and these cost nodes.
    """

    def __init__(
        self,
        cluster: Callable[[], ClusterView] = lambda: NOTHING_KNOWN,
        node_lead_time: timedelta = timedelta(minutes=5),
    ) -> None:
        self._cluster = cluster
        self._node_lead_time = node_lead_time
        self._failed: WeakSet[WorkloadState] = WeakSet()

    def view(self, now: datetime, state: WorkloadState) -> HeadroomView:
        """The placeholders of one workload at ``now``; never an exception."""
        try:
            known = self._cluster().of(state.workload)
            found = headroom_of(now, state, known, self._node_lead_time)
            return HeadroomView(replicas=max(0, found.replicas), reasons=list(found.reasons))
        except Exception:
            if state not in self._failed:
                self._failed.add(state)
                _LOG.exception("no head-room for %s", state.workload)
            return HeadroomView(
                replicas=0, reasons=["it could not be computed; the service's log says why"]
            )


class HeadroomCollector(Collector):
    """The placeholders of some workloads at ``now``, as KEDA would get them."""

    def __init__(
        self, headrooms: Headrooms, states: Iterable[WorkloadState], now: datetime
    ) -> None:
        self._headrooms = headrooms
        self._states = states
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """One family, with or without samples."""
        family = GaugeMetricFamily(
            "preroll_headroom_replicas",
            "Placeholder pods that would hold places now, whether KEDA asks for them or not.",
            labels=("namespace", "workload"),
        )
        for state in self._states:
            view = self._headrooms.view(self._now, state)
            family.add_metric((state.namespace, state.name), view.replicas)
        yield family
