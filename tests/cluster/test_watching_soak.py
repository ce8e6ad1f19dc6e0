"""Whatever goes wrong, in turns and together: in the end what is known is what is there."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from forecaster.cluster.parsing import seen_of
from forecaster.cluster.resources import PODS, SCALED_OBJECTS, Resource
from forecaster.cluster.seen import Seen
from tests.cluster.objects import pod
from tests.cluster.reading import IMPATIENT, client_of, declared, reading
from tests.cluster.standin import Break, Fault, StandIn

WORKLOADS, SECONDS = 20, 12.0
STATUSES = (500, 503, 429, 403, 404, 401, 410)
BREAKS = [one for one in Break if one is not Break.SILENCE]


def there(server: StandIn, resource: Resource) -> dict[str, Seen | None]:
    kept = server.store.shelves[resource.plural].objects.values()
    return {one.name: seen_of(resource, json.loads(one.text)) for one in kept}


def trouble(server: StandIn, dice: random.Random) -> None:
    chance = dice.random()
    if chance < 0.05:
        server.down()
        time.sleep(dice.random() * 0.3)
        if dice.random() < 0.5:
            server.forget()
        server.up()
    elif chance < 0.15:
        verb = dice.choice(["list", "watch", ""])
        server.fail(Fault(dice.choice(["pods", ""]), verb, status=dice.choice(STATUSES)))
    elif chance < 0.2:
        server.fail(Fault("pods", "list", half_a_body=True))
    elif chance < 0.4:
        server.break_watches(dice.choice(["pods", "scaledobjects"]), dice.choice(BREAKS))


def change(server: StandIn, dice: random.Random) -> None:
    workload, place = f"w-{dice.randrange(WORKLOADS)}", dice.randrange(15)
    name = f"{workload}-{place}"
    if ("streaming", name) in server.store.shelves["pods"].objects and dice.random() < 0.5:
        server.delete("Pod", "streaming", name)
    else:
        server.put(pod(name, workload=workload, ready_after=dice.choice([None, 40.0])))
    server.put(declared(workload, str(dice.randrange(99))))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_after_all_troubles_what_is_known_is_what_is_there(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    with StandIn(tokens={"right"}, bookmark_seconds=0.3) as server:
        client = client_of(server, tmp_path, replace(IMPATIENT, watch=3))
        with reading(client, [PODS, SCALED_OBJECTS]) as reader:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                trouble(server, dice)
                change(server, dice)
                reader.quietly(0.02)
            server.heal()
            known = reader.inventory
            reader.until(
                lambda: (
                    {one.name: one for one in known.pods} == there(server, PODS)
                    and {one.name: one for one in known.scaled_objects}
                    == there(server, SCALED_OBJECTS)
                    and all(state.connected for state in known.states.values())
                ),
                seconds=20.0,
            )
        assert len(server.requests("pods", "list")) > 3
        assert len(server.requests("pods", "watch")) > 3
