"""The spec of a pod, or of a template → PodShape: what Kubernetes adds up, and where it places.

The sums are those of the scheduler and of quotas:
https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from sys import intern
from typing import Any

from forecaster.cluster.fields import Malformed, items, mapping, number
from forecaster.cluster.placing import ANYWHERE, Placement, Requirement, Taint, Toleration
from forecaster.cluster.pod_shape import PodShape

__all__ = ["pod_shape", "requirements", "taints", "words"]

_KEYS = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_EACH = range(len(_KEYS))
_OF_NODES = "node.kubernetes.io/"
_KEEPS_OFF = ("NoSchedule", "NoExecute")
_NO_NODE = (Requirement("", "In"),)

_Amounts = tuple[float | None, float | None, float | None, float | None]


def pod_shape(spec: Mapping[str, Any]) -> PodShape:
    """The shape of a pod with this spec; one value for all that are alike."""
    main = [_amounts(one) for one in items(spec, "containers")]
    init, sidecars = [], []
    for one in items(spec, "initContainers"):
        init.append(_amounts(one))
        sidecars.append(one.get("restartPolicy") == "Always")
    given = main + init
    if init or len(main) != 1:
        totals = tuple(_total(main, zip(init, sidecars, strict=True), at) for at in _EACH)
    else:
        totals = tuple(one or 0.0 for one in main[0])
    unset = tuple(
        key for key, of in zip(_KEYS, zip(*given, strict=True), strict=False) if None in of
    )
    best_effort = not any(map(any, given))
    if "resources" in spec:
        whole = _amounts(spec)
        totals = tuple(_of_pod(spec, whole, totals[at], at) for at in _EACH)
        unset = tuple(key for key in unset if whole[_KEYS.index(key)] is None)
        best_effort = best_effort and not any(whole)
    overhead = mapping(spec, "overhead")
    if overhead:
        beside = [number(overhead, key) or 0.0 for key in ("cpu", "memory")] * 2
        # A limit that is not there does not come to be one by the overhead.
        totals = tuple(totals[at] + beside[at] if at < 2 or totals[at] else 0.0 for at in _EACH)
    priority, deadline = spec.get("priorityClassName"), spec.get("activeDeadlineSeconds")
    return _made(
        totals,
        unset,
        best_effort,
        isinstance(deadline, int) and deadline >= 0,
        priority if isinstance(priority, str) else "",
        "affinity" in spec and any(_crosses(mapping(spec, "affinity"))),
        _placement(spec),
    )


@lru_cache(maxsize=8192)
def _made(
    totals: tuple[float, ...],
    unset: tuple[str, ...],
    best_effort: bool,
    terminating: bool,
    priority: str,
    crosses: bool,
    placement: Placement,
) -> PodShape:
    cpu, memory, most_cpu, most_memory = totals
    return PodShape(
        cpu,
        memory,
        most_cpu,
        most_memory,
        unset,
        best_effort,
        terminating,
        priority,
        crosses,
        placement,
    )


def _amounts(container: Mapping[str, Any]) -> _Amounts:
    """Requests and limits, as in _KEYS; a limit alone is a request as well."""
    resources = mapping(container, "resources")
    if not resources:
        return None, None, None, None
    requests, limits = mapping(resources, "requests"), mapping(resources, "limits")
    most_cpu, most_memory = number(limits, "cpu"), number(limits, "memory")
    cpu, memory = number(requests, "cpu"), number(requests, "memory")
    return (
        most_cpu if cpu is None else cpu,
        most_memory if memory is None else memory,
        most_cpu,
        most_memory,
    )


def _total(containers: Sequence[_Amounts], init: Iterable[tuple[_Amounts, bool]], at: int) -> float:
    """Containers and sidecars, or the most that is needed while init containers run."""
    total = sum(one[at] or 0.0 for one in containers)
    sidecars = highest = 0.0
    for amounts, sidecar in init:
        asked = amounts[at] or 0.0
        if sidecar:
            sidecars += asked
            total += asked
            asked = 0.0
        highest = max(highest, sidecars + asked)
    return max(total, highest)


def _of_pod(spec: Mapping[str, Any], whole: _Amounts, total: float, at: int) -> float:
    """What the pod as a whole states counts; its limit is a request only where none is made."""
    told = whole[at]
    requests = mapping(mapping(spec, "resources"), "requests")
    implied = at < 2 and ("cpu", "memory")[at] not in requests
    return total if told is None or (implied and total) else told


def _placement(spec: Mapping[str, Any]) -> Placement:
    selector, affinity = mapping(spec, "nodeSelector"), mapping(spec, "affinity")
    tolerations = tuple(_tolerations(spec))
    if not selector and not affinity:
        return Placement((), tolerations) if tolerations else ANYWHERE
    own = tuple(Requirement(key, "In", (str(value),)) for key, value in sorted(selector.items()))
    required = mapping(
        mapping(affinity, "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = tuple((*own, *_term(one)) for one in items(required, "nodeSelectorTerms"))
    return Placement(terms or ((own,) if own else ()), tolerations)


def _term(term: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """An empty term stands for no node; matchFields, the node's name, is not judged."""
    found = tuple(requirements(term, "matchExpressions"))
    return found if found or term.get("matchFields") else _NO_NODE


def _tolerations(spec: Mapping[str, Any]) -> Iterator[Toleration]:
    """Those that matter: no node with a taint of Kubernetes' own has room hours ahead."""
    for one in items(spec, "tolerations"):
        key, effect = str(one.get("key") or ""), str(one.get("effect") or "")
        if key.startswith(_OF_NODES) or effect not in ("", *_KEEPS_OFF):
            continue
        operator, value = str(one.get("operator") or "Equal"), str(one.get("value") or "")
        yield Toleration(intern(key), intern(operator), intern(value), intern(effect))


def _crosses(affinity: Mapping[str, Any]) -> Iterator[bool]:
    """Of each term of pod affinity and anti-affinity, whether it looks into other namespaces."""
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = mapping(affinity, kind)
        preferred = items(rules, "preferredDuringSchedulingIgnoredDuringExecution")
        for term in chain(
            items(rules, "requiredDuringSchedulingIgnoredDuringExecution"),
            (mapping(one, "podAffinityTerm") for one in preferred),
        ):
            yield bool(term.get("namespaces")) or term.get("namespaceSelector") is not None


def requirements(of: Mapping[str, Any], key: str) -> Iterator[Requirement]:
    """Conditions on labels, or on the scopes of a quota."""
    for one in items(of, key):
        name = str(one.get("key", one.get("scopeName", "")))
        operator = str(one.get("operator") or "")
        yield Requirement(intern(name), intern(operator), words(one, "values"))


def taints(spec: Mapping[str, Any]) -> Iterator[Taint]:
    """The taints of a node that keep pods off."""
    for one in items(spec, "taints"):
        effect = str(one.get("effect") or "")
        if effect in _KEEPS_OFF:
            key, value = str(one.get("key") or ""), str(one.get("value") or "")
            yield Taint(intern(key), intern(value), intern(effect))


def words(of: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The texts of the list at ``key``."""
    found = of.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise Malformed(f"{key} is {found!r:.60}, not a list")
    return tuple(intern(str(one)) for one in found)
