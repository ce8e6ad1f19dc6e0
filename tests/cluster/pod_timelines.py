"""Pods as a cluster makes them: what a watch would tell, change by change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from forecaster.cluster.seen import NodeSeen, PodSeen, TargetRef
from forecaster.cluster.start_up import StartUp
from forecaster.cluster.start_ups import StartUps

PLAYER = TargetRef("Deployment", "player-api")
EIGHT = 1_781_467_200.0  # 2026-06-14 20:00 UTC
DAY = 86_400.0


@dataclass(frozen=True)
class Change:
    at: float
    before: PodSeen | None
    after: PodSeen | None


def pod(uid: str, created: float, **known: object) -> PodSeen:
    return PodSeen("streaming", f"player-api-{uid}", uid, PLAYER, created, **known)  # type: ignore[arg-type]


def node(name: str, created: float, ready: float | None) -> NodeSeen:
    return NodeSeen(name, created, ready, 16.0, 64e9, 110)


def changes(*told: tuple[float, PodSeen | None]) -> list[Change]:
    """Successive values of one pod, each from the instant on at which a watch told of it."""
    before: PodSeen | None = None
    made = []
    for at, after in told:
        made.append(Change(at, before, after))
        before = after
    return made


def coming_up(
    uid: str,
    created: float,
    scheduling: float = 1.0,
    initialising: float = 4.0,
    starting: float = 20.0,
    *,
    on: str = "node-1",
    restarts: int = 0,
    told: str | None = None,
) -> list[Change]:
    """A pod from its creation to its first readiness, as a watch tells it."""
    scheduled = created + scheduling
    initialised = scheduled + initialising
    ready = initialised + starting
    new = pod(uid, created)
    steps = [(created, new)]
    if told is not None:
        new = replace(new, unschedulable=told)
        steps.append((created + 1, new))
    new = replace(new, scheduled=scheduled, node=on, unschedulable=None)
    steps.append((scheduled, new))
    new = replace(new, initialised=initialised)
    steps.append((initialised, new))
    for count in range(1, restarts + 1):
        new = replace(new, restarts=count)
        steps.append((initialised + starting * count / (restarts + 1), new))
    steps.append((ready, replace(new, ready=ready)))
    return changes(*steps)


def then(earlier: list[Change], *told: tuple[float, PodSeen | None]) -> list[Change]:
    """What becomes of a pod later."""
    last = earlier[-1].after
    more = changes((earlier[-1].at, last), *told)
    return earlier + more[1:]


def last(told: list[Change]) -> PodSeen:
    after = told[-1].after
    assert after is not None
    return after


def play(book: StartUps, told: Iterable[Change], nodes: Iterable[NodeSeen] = ()) -> list[StartUp]:
    """Note all changes in the order of time; the start-ups that were found."""
    by_name = {one.name: one for one in nodes}
    found = []
    for one in sorted(told, key=lambda change: change.at):
        on = None if one.after is None or one.after.node is None else by_name.get(one.after.node)
        made = book.note(one.at, one.before, one.after, on)
        if made is not None:
            found.append(made)
    return found
