"""How a reading of the cluster goes: what fails, how old it is, whether all have answered."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.cluster.inventory import Inventory
from forecaster.cluster.resources import BY_KIND, resources_to_read
from forecaster.settings import KubernetesSettings
from forecaster.worker.cluster_messages import ClusterHealth

__all__ = ["all_answered", "health_of"]

_MOST_WATCHES = 20
_MOST_BROKEN = 3


def all_answered(known: Inventory, settings: KubernetesSettings) -> bool:
    """Whether each watch has read its kind once, or has said why it cannot."""
    for one in resources_to_read(nodes=settings.nodes):
        spaces: tuple[str | None, ...] = settings.namespaces if one.namespaced else ()
        for space in spaces or (None,):
            state = known.states.get((one.kind, space))
            listed = known.is_listed(one.kind, () if space is None else (space,))
            if not listed and (state is None or state.problem is None):
                return False
    return True


def health_of(known: Inventory, trouble: tuple[str, ...]) -> ClusterHealth:
    """The message; ``trouble`` is why the API server cannot be used, beside its watches."""
    tables = (
        known.scaled_objects,
        known.autoscalers,
        known.deployments,
        known.stateful_sets,
        known.pods,
        known.quotas,
        known.nodes,
    )
    broken = sorted(
        f"{kind} {place}/{name}: {why}" for (kind, place, name), why in known.broken.items()
    )
    return ClusterHealth(
        (
            *trouble,
            *_some(known.problems(), _MOST_WATCHES, "watches that fail"),
            *_some(broken, _MOST_BROKEN, "objects that cannot be used"),
        ),
        {one.kind: len(one) for one in tables},
        {kind: at for kind in BY_KIND for at in _as_of(known, kind)},
    )


def _as_of(known: Inventory, kind: str) -> tuple[float | None, ...]:
    """Of when is what is known of a kind: the oldest of its watches; none where one is blind."""
    states = [one for one in known.states.values() if one.kind == kind]
    past = [one.as_of for one in states if not one.connected]
    if not states or None in past:
        return ()
    return (min((at for at in past if at is not None), default=None),)


def _some(lines: Sequence[str], most: int, what: str) -> tuple[str, ...]:
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[:most], f"and {len(lines) - most} more {what}")
