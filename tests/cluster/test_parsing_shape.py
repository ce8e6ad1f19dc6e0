"""The sums that Kubernetes makes of a pod's containers, and what else of a spec matters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.cluster.fields import Malformed
from forecaster.cluster.parsing_shape import pod_shape
from forecaster.cluster.placing import ANYWHERE, Placement, Requirement, Toleration
from forecaster.cluster.pod_shape import PodShape

KEYS = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def container(cpu: str | None = None, limit: str | None = None, **more: Any) -> dict[str, Any]:
    parts = {"requests": {"cpu": cpu}, "limits": {"cpu": limit}}
    return {
        "resources": {key: part for key, part in parts.items() if part["cpu"] is not None},
        **more,
    }


def sidecar(cpu: str) -> dict[str, Any]:
    return container(cpu, cpu, restartPolicy="Always")


def shape(*containers: dict[str, Any], **spec: Any) -> PodShape:
    return pod_shape({"containers": list(containers), **spec})


def test_limits_and_requests_are_added_up_apart() -> None:
    found = shape(container("500m", "2"), container("250m"), container(None, "1"))
    assert (found.cpu, found.limit_cpu) == (0.5 + 0.25 + 1.0, 3.0)
    assert found.unset == ("requests.memory", "limits.cpu", "limits.memory")


def test_an_init_container_that_takes_more_is_what_the_pod_takes() -> None:
    """kubernetes.io, resource sharing within containers: the highest, or the sum of all others."""
    one = shape(container("1", "1"), initContainers=[container("4", "4"), container("2", "2")])
    assert (one.cpu, one.limit_cpu) == (4.0, 4.0)
    assert shape(container("1"), initContainers=[container("500m")]).cpu == 1.0


amounts = st.integers(0, 20)


@given(st.lists(amounts, min_size=1, max_size=3), st.lists(st.tuples(amounts, st.booleans())))
def test_what_a_pod_takes_is_the_most_that_runs_at_any_time(
    main: list[int], init: list[tuple[int, bool]]
) -> None:
    running, most = 0, 0
    for cpu, stays in init:
        most = max(most, running + cpu)
        running += cpu if stays else 0
    most = max(most, running + sum(main))
    found = shape(
        *(container(str(cpu), str(cpu)) for cpu in main),
        initContainers=[
            sidecar(str(cpu)) if stays else container(str(cpu), str(cpu)) for cpu, stays in init
        ],
    )
    assert (found.cpu, found.limit_cpu) == (most, most)


def test_the_overhead_comes_on_top_but_makes_no_limit() -> None:
    overhead = {"cpu": "250m", "memory": "64Mi"}
    found = shape(container("1", "2"), overhead=overhead)
    assert (found.cpu, found.limit_cpu) == (1.25, 2.25)
    assert (found.memory, found.limit_memory) == (2.0**26, 0.0)


@pytest.mark.parametrize(
    ("resources", "cpu", "limit", "unset"),
    [
        ({"requests": {"cpu": "3"}}, 3.0, 0.0, KEYS[1:]),
        ({"limits": {"cpu": "4"}}, 1.0, 4.0, (KEYS[1], KEYS[3])),
        ({"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}, 3.0, 4.0, (KEYS[1], KEYS[3])),
    ],
    ids=["requests", "a limit beside requests of containers", "both"],
)
def test_what_the_pod_as_a_whole_states_counts(
    resources: dict[str, Any], cpu: float, limit: float, unset: tuple[str, ...]
) -> None:
    found = shape(container("1"), container(), resources=resources)
    assert (found.cpu, found.limit_cpu, found.unset) == (cpu, limit, unset)


def test_a_limit_of_the_pod_is_its_request_where_no_container_makes_one() -> None:
    assert shape(container(), resources={"limits": {"cpu": "4"}}).cpu == 4.0


def test_the_best_effort_is_what_asks_for_nothing_anywhere() -> None:
    assert shape(container()).best_effort
    assert shape(container("0")).best_effort
    assert shape(container(), overhead={"cpu": "1"}).best_effort
    assert not shape(container(), initContainers=[container("1")]).best_effort
    assert not shape(container(None, "1")).best_effort
    assert not shape(container(), resources={"limits": {"cpu": "1"}}).best_effort


def test_what_the_scopes_of_a_quota_go_by_is_kept() -> None:
    plain = shape(container("1"))
    assert (plain.terminating, plain.priority_class, plain.cross_namespace) == (False, "", False)
    assert shape(activeDeadlineSeconds=0).terminating
    assert shape(priorityClassName="live").priority_class == "live"


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
@pytest.mark.parametrize(
    ("term", "crosses"),
    [
        ({"topologyKey": "zone"}, False),
        ({"namespaces": []}, False),
        ({"namespaces": ["tv"]}, True),
        ({"namespaceSelector": {}}, True),
    ],
)
def test_an_affinity_across_namespaces_is_seen(
    kind: str, term: dict[str, Any], crosses: bool
) -> None:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    preferred = {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]
    }
    for rules in (required, preferred):
        assert shape(affinity={kind: rules}).cross_namespace is crosses


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"nodeAffinity": rules}


def test_the_node_selector_holds_beside_each_term_of_the_affinity() -> None:
    zone = {"key": "zone", "operator": "In", "values": ["a", "b"]}
    found = shape(
        nodeSelector={"pool": "video", "arch": "arm64"},
        affinity=affinity({"matchExpressions": [zone]}, {"matchFields": [{"key": "x"}]}),
    )
    own = (Requirement("arch", "In", ("arm64",)), Requirement("pool", "In", ("video",)))
    assert found.placement.terms == ((*own, Requirement("zone", "In", ("a", "b"))), own)


def test_an_affinity_that_is_only_a_wish_keeps_nothing_away() -> None:
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}
    assert shape(affinity={"nodeAffinity": preferred}).placement == ANYWHERE


def test_an_empty_term_selects_no_node() -> None:
    placement = shape(affinity=affinity({})).placement
    assert not placement.selects({})
    assert not placement.selects({"pool": "video"})


def test_tolerations_are_kept_but_those_of_every_pod() -> None:
    found = shape(
        tolerations=[
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
            {"key": "flaky", "operator": "Exists", "effect": "PreferNoSchedule"},
            {"key": "dedicated", "value": "video", "effect": "NoSchedule"},
            {"operator": "Exists"},
        ]
    )
    assert found.placement == Placement(
        (),
        (Toleration("dedicated", "Equal", "video", "NoSchedule"), Toleration("", "Exists")),
    )


def test_pods_that_are_alike_have_one_shape() -> None:
    one, other = (shape(container("1"), nodeSelector={"pool": "video"}) for _ in range(2))
    assert one is other


def test_values_that_are_no_list_are_named() -> None:
    broken = affinity({"matchExpressions": [{"key": "zone", "operator": "In", "values": "a"}]})
    with pytest.raises(Malformed, match="values is 'a', not a list"):
        shape(affinity=broken)
