"""One pod's way from its creation to its first readiness, in parts."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.cluster.seen import NodeSeen, PodSeen

__all__ = ["StartUp", "start_up"]


@dataclass(frozen=True, slots=True)
class StartUp:
    """How long a pod took from ``created`` (Unix seconds) to ready; the parts are in seconds.

    ``scheduling`` is the wait for a place on a node that is there, ``node`` the wait until its node
    had joined the cluster and was ready, 0 where nodes are not read. ``initialising`` runs from
    there to the end of the init containers, volumes and their images included; ``starting`` from
    there to ready: images, the process, the readiness probe. No condition of a pod stands between
    those three.

    ``restarted`` where a container fell over before the pod was ready, ``unschedulable`` where the
    scheduler was seen to find no node. ``watched`` is False where the pod was ready when it was
    first seen, so that only its conditions tell.
    """

    created: float
    scheduling: float
    node: float
    initialising: float
    starting: float
    restarted: bool = False
    unschedulable: bool = False
    watched: bool = True

    @property
    def total(self) -> float:
        """Seconds from created to ready."""
        return self.scheduling + self.node + self.initialising + self.starting

    @property
    def ready(self) -> float:
        """When the pod was ready, in Unix seconds."""
        return self.created + self.total


def start_up(
    pod: PodSeen,
    node: NodeSeen | None = None,
    *,
    unschedulable: bool = False,
    watched: bool = True,
) -> StartUp | None:
    """The start-up of a pod that is ready for the first time; None while it is not.

    Instants come from several clocks, in whole seconds: each is taken within [created, ready] and
    not before the one it follows, so that no part is negative and their sum is ready - created. An
    instant that is not known leaves its part to the next one.

    Created at 0, its node ready at 70, scheduled at 72, initialised at 80, ready at 95:

    >>> from forecaster.cluster.seen import NodeSeen, PodSeen
    >>> pod = PodSeen("tv", "player-1", "u1", None, 0.0, 72.0, 80.0, 95.0, "node-1")
    >>> one = start_up(pod, NodeSeen("node-1", 50.0, 70.0, 16.0, 64e9, 110))
    >>> one.node, one.scheduling, one.initialising, one.starting
    (70.0, 2.0, 8.0, 15.0)
    """
    if pod.ready is None:
        return None
    created = pod.created
    ready = max(pod.ready, created)
    scheduled = _between(created, pod.scheduled, ready)
    initialised = _between(scheduled, pod.initialised, ready)
    there = min(max(_there(node, scheduled), created), scheduled)
    return StartUp(
        created=created,
        scheduling=scheduled - there,
        node=there - created,
        initialising=initialised - scheduled,
        starting=ready - initialised,
        restarted=pod.restarts > 0,
        unschedulable=unschedulable or pod.unschedulable is not None,
        watched=watched,
    )


def _between(low: float, instant: float | None, high: float) -> float:
    return low if instant is None else min(max(instant, low), high)


def _there(node: NodeSeen | None, scheduled: float) -> float:
    """When the node could take pods; a readiness after the scheduling is a later flap of it."""
    if node is None:
        return float("-inf")
    ready = node.ready
    return ready if ready is not None and ready <= scheduled else node.created
