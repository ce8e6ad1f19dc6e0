"""The written objects are applied to an API server, and our own reading of it finds them."""

from __future__ import annotations

import httpx
import yaml

from forecaster.cluster.parsing import seen_of
from forecaster.cluster.resources import SCALED_OBJECTS
from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.migration.files import migration_files
from tests.cluster.standin import StandIn


def test_every_scaled_object_is_taken_and_found_again(example_moves):
    texts = migration_files(example_moves).texts
    made = [yaml.safe_load(texts[name]) for name in texts if name.startswith("scaledobjects/")]
    with StandIn() as cluster, httpx.Client(base_url=cluster.url) as client:
        for number, one in enumerate(made):
            path = SCALED_OBJECTS.path(one["metadata"]["namespace"])
            named = {**one["metadata"], "uid": f"uid-{number}"}  # the real one gives it itself
            assert client.post(path, json={**one, "metadata": named}).status_code == 201
        listed = client.get(SCALED_OBJECTS.path()).json()["items"]
    seen = [seen_of(SCALED_OBJECTS, one) for one in listed]
    assert all(isinstance(one, ScaledObjectSeen) for one in seen)
    assert {
        (one.namespace, one.target.name, one.min_replicas, one.max_replicas)
        for one in seen
        if isinstance(one, ScaledObjectSeen)
    } == {
        (one.old.namespace, one.old.target_name, one.old.min_replicas, one.old.max_replicas)
        for one in example_moves.workloads
    }
