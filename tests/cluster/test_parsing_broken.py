from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.parsing import BrokenObject, seen_of
from forecaster.cluster.resources import (
    BY_KIND,
    PODS,
    QUOTAS,
    SCALED_OBJECTS,
)
from tests.cluster.objects import CREATED, autoscaler, node, pod, quota, scaled, scaled_object

BEGAN = CREATED.timestamp()


def versioned(item: dict[str, Any]) -> dict[str, Any]:
    item["metadata"]["resourceVersion"] = "7"
    return item


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        (("metadata", "name"), None, "ScaledObject streaming/?: name is missing"),
        (("metadata", "uid"), 7, "ScaledObject streaming/player-api: uid is 7, not text"),
        (("spec", "minReplicaCount"), "2", "minReplicaCount is '2', not a whole number"),
        (("spec", "maxReplicaCount"), True, "maxReplicaCount is True, not a whole number"),
        (("spec", "scaleTargetRef"), None, "spec.scaleTargetRef is missing"),
        (("spec", "scaleTargetRef", "name"), "", "name is '', not text"),
        (("spec",), [], "spec is [], not an object"),
    ],
)
def test_what_is_wrong_with_an_object_is_named(way: tuple[str, ...], value: Any, said: str) -> None:
    item = versioned(scaled_object())
    place = item
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    with pytest.raises(BrokenObject) as broken:
        seen_of(SCALED_OBJECTS, item)
    assert said in str(broken.value)


def test_a_time_and_a_quantity_that_are_none_are_named() -> None:
    late = pod()
    late["metadata"]["creationTimestamp"] = "yesterday"
    with pytest.raises(BrokenObject, match="creationTimestamp is 'yesterday', not a time such as"):
        seen_of(PODS, late)
    odd = quota()
    odd["status"]["hard"]["requests.cpu"] = "lots"
    with pytest.raises(BrokenObject, match=r"requests.cpu is 'lots', not a quantity such as 500m"):
        seen_of(QUOTAS, odd)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"a": {"b": 1}}),
)
ITEMS = [versioned(one()) for one in (pod, scaled, autoscaler, scaled_object, quota, node)]


def every_place(item: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(item, dict | list):
        return [way]
    inside = item.items() if isinstance(item, dict) else enumerate(item)
    deeper = [one for key, value in inside for one in every_place(value, (*way, key))]
    return [way, *deeper] if way else deeper


PLACES = [(item, way) for item in ITEMS for way in every_place(item) if "managedFields" not in way]


@given(st.sampled_from(range(len(PLACES))), ODD)
@settings(max_examples=400, deadline=None)
def test_whatever_stands_anywhere_it_is_read_or_named(at: int, odd: Any) -> None:
    whole, way = PLACES[at]
    item = copy.deepcopy(whole)
    place: Any = item
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = odd
    kind = whole["kind"]
    try:
        seen = seen_of(BY_KIND[kind], item)
    except BrokenObject as broken:
        assert str(broken).startswith(kind)
    else:
        assert seen is None or pickle.loads(pickle.dumps(seen)) == seen
        hash(seen)


@pytest.mark.parametrize("item", [None, [], "text", 3])
def test_what_is_no_object_at_all_is_named(item: Any) -> None:
    with pytest.raises(BrokenObject, match="is no object"):
        seen_of(PODS, item)
