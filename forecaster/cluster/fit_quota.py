"""Plans against the ResourceQuotas of their namespace.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forecaster.cluster.fit_needs import Needs, largest, of_a_pod
from forecaster.cluster.fit_warning import (
    Excess,
    FitWarning,
    Limit,
    amount_text,
    spans_above,
    tightest_first,
)
from forecaster.cluster.placing import Requirement
from forecaster.cluster.planned import PlanGrid, Planned
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import QuotaSeen

__all__ = ["above_quotas", "counts"]

_KEYS = {
    "requests.cpu": "cpu",
    "cpu": "cpu",
    "requests.memory": "memory",
    "memory": "memory",
    "limits.cpu": "limit_cpu",
    "limits.memory": "limit_memory",
    "pods": "pods",
    "count/pods": "pods",
}
_MOST_NAMED = 5


def above_quotas(
    grid: PlanGrid, members: Sequence[Planned], quotas: Iterable[QuotaSeen]
) -> list[FitWarning]:
    """A warning for each quota of a namespace that its plans, ``members``, will exceed."""
    found: list[FitWarning | None] = []
    needs_of: dict[tuple[str, ...], Needs] = {}
    for quota in quotas:
        counted = [one for one in members if counts(quota.scopes, one.shape)]
        names = tuple(one.workload for one in counted)
        needs = needs_of.get(names)
        if needs is None:
            needs = needs_of[names] = Needs(grid)
            for one in counted:
                needs.add(one)
        if counted:
            found.append(_above(grid, members, counted, needs, quota))
    return [one for one in found if one is not None]


def counts(scopes: Iterable[Requirement], shape: PodShape | None) -> bool:
    """Whether a quota counts such pods: those that all of its scopes hold for.

    Of pods of which nothing is known it counts those that it counts in any case: what is scaled
    runs without a deadline.
    """
    if shape is None:
        return all(one.key == "NotTerminating" for one in scopes)
    return all(_holds(one, shape) for one in scopes)


def _holds(scope: Requirement, shape: PodShape) -> bool:
    match scope.key:
        case "Terminating":
            return shape.terminating
        case "NotTerminating":
            return not shape.terminating
        case "BestEffort":
            return shape.best_effort
        case "NotBestEffort":
            return not shape.best_effort
        case "PriorityClass":
            own = shape.priority_class
            return scope.matches({scope.key: own} if own else {})
        case "CrossNamespacePodAffinity":
            return shape.cross_namespace
    return False  # such as VolumeAttributesClass, which no pod has


def _above(
    grid: PlanGrid,
    members: Sequence[Planned],
    counted: Sequence[Planned],
    needs: Needs,
    quota: QuotaSeen,
) -> FitWarning | None:
    parts, others = [], {}
    for key, resource in _KEYS.items():
        hard = quota.hard.get(key)
        if hard is None:
            continue
        own = sum(one.present * of_a_pod(one.shape, resource) for one in counted)
        others[key] = max(quota.used.get(key, 0.0) - own, 0.0)
        spans = spans_above(grid, needs.of(resource) + others[key], hard)
        if spans:
            parts.append(Excess(key, spans, hard))
    if not parts:
        return None
    first, *also = tightest_first(parts)
    silent = {
        one.workload: [part.resource for part in parts if part.resource in _unset(one)]
        for one in counted
    }
    unknown = [one for one in members if one.shape is None]
    return FitWarning(
        limit=Limit.QUOTA,
        namespace=quota.namespace,
        name=quota.name,
        resource=first.resource,
        spans=first.spans,
        allowed=first.allowed,
        fix=_fix(quota, (first, *also)),
        hours_ahead=grid.hours_until(min(one.start for one in parts)),
        workloads=largest(counted, first.peak_at, _KEYS[first.resource]),
        used_by_others=others[first.resource],
        at_least=bool(unknown) or any(silent[one.workload] for one in counted if not one.running),
        also=tuple(also),
        note=_note(silent),
    )


def _unset(one: Planned) -> tuple[str, ...]:
    """The keys of quotas for which a container of its pods says nothing, under both names."""
    unset = () if one.shape is None else one.shape.unset
    return (*unset, *(key.removeprefix("requests.") for key in unset))


def _fix(quota: QuotaSeen, parts: Iterable[Excess]) -> str:
    first, *also = (
        (
            one.resource,
            f"from {amount_text(one.resource, one.allowed)} "
            f"to {amount_text(one.resource, one.wanted, up=True)}",
        )
        for one in parts
    )
    change = f"raise {first[0]} of quota {quota.namespace}/{quota.name} {first[1]}"
    return " and ".join((change, *(f"{key} {by}" for key, by in also)))


def _note(silent: dict[str, list[str]]) -> str:
    """A container that does not say what the quota counts gets it from a LimitRange, or no pod."""
    said = {name: keys for name, keys in silent.items() if keys}
    if not said:
        return ""
    keys = sorted({key for keys in said.values() for key in keys})
    names = [*said][:_MOST_NAMED] + (["others"] if len(said) > _MOST_NAMED else [])
    return (
        f"containers of {', '.join(names)} do not all state {' and '.join(keys)}: "
        "the default of a LimitRange comes on top, and without one the quota refuses new pods"
    )
