"""Plans by hand: what they ask for, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.cluster.planned import Planned, planned
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import Scaled, ScaledObjectSeen, TargetRef
from forecaster.events import Event
from forecaster.models.outlook import Outlook
from forecaster.planning import Plan, ScalingRule, build_plan

EIGHT = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GIB = 2.0**30


def plan_of(
    replicas: Sequence[int],
    *,
    step: timedelta = MINUTE,
    start: datetime = EIGHT,
    events: Iterable[Event] = (),
    **rule: object,
) -> Plan:
    """A plan of a lead time of one step whose need without any maximum is ``replicas``.

    Each step's traffic is that of the step before, so that the lead window's peak is a step's own
    where replicas do not fall by the step.
    """
    values: dict[str, object] = {"capacity_rps": 10.0, "lead_time": step, "min_replicas": 0}
    rates = np.array([*replicas, replicas[-1]], dtype=float) * 10.0
    outlook = Outlook(
        "streaming/player-api",
        start,
        start,
        step,
        (0.5, 0.98),
        np.vstack([rates / 2, rates]),
        "test",
    )
    return build_plan(outlook, ScalingRule(**(values | rule)), events=events)  # type: ignore[arg-type]


def asking(
    name: str,
    replicas: Sequence[int],
    *,
    namespace: str = "streaming",
    most: int | None = 500,
    least: int = 0,
    now: int = 10,
    cpu: float = 2.0,
    memory: float = 4 * GIB,
    scaled: bool = True,
    pod: PodShape | None = None,
    **more: object,
) -> Planned:
    """A workload with such a plan, ``now`` replicas and KEDA's object with ``most`` at the most.

    ``pod`` is its template's, else one of ``cpu`` and ``memory``.
    """
    ref = TargetRef("Deployment", name)
    plan = plan_of(replicas, **({"max_replicas": 1000} | more))  # type: ignore[arg-type]
    of_keda = None
    if most is not None:
        of_keda = ScaledObjectSeen(namespace, f"{name}-keda", "u", "1", ref, least, most)
    shape = pod or PodShape(cpu, memory)
    made = Scaled(namespace, ref, now, now, shape) if scaled else None
    return planned(namespace, name, plan, made, of_keda)
