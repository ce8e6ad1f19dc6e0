"""What an event will not do, said to whoever makes it: nothing here refuses one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from forecaster.events import Event
from forecaster.planning.event_floor import declaring, wanted_floor
from forecaster.planning.snapshot import WorkloadState
from forecaster.planning.target import instant_text

__all__ = ["EventTrouble", "EventWarning", "event_warnings"]

_MOST_TOLD = 20

Labels = Callable[[str], Mapping[str, str]]


class EventTrouble(StrEnum):
    """What is told, as a word for programs."""

    FLOOR_ABOVE_MAX = "floor_above_max"
    SELECTS_NOTHING = "selects_nothing"
    OVER = "over"
    UNKNOWN_KIND = "unknown_kind"


@dataclass(frozen=True)
class EventWarning:
    """One of them as a sentence; of a floor, whose it is, in replicas, and that workload's maximum.

    ``workload`` is ``namespace/name``; None, as the numbers are, where no workload is meant.
    """

    code: EventTrouble
    message: str
    workload: str | None = None
    floor: int | None = None
    max_replicas: int | None = None


def event_warnings(
    event: Event,
    states: Iterable[WorkloadState],
    labels: Labels,
    seen: Callable[[str], bool],
    now: datetime,
) -> tuple[EventWarning, ...]:
    """What should be known of ``event`` at ``now``, among the workloads ``states``.

    ``labels`` are those of ``namespace/name``; ``seen`` says whether an event of a kind is over,
    so that something can have been learned of it. Nothing is told of a cancelled event. Of floors
    the first 20 are told, and how many more there are.
    """
    if event.cancelled:
        return ()
    selected = _selected(event, states, labels)
    found = [] if selected else [_selects_nothing(event)]
    if event.latest_end <= now:
        return (*found, _over(event))
    found += _too_high(event, selected)
    if not event.declares_uplift and not seen(event.kind):
        found.append(_unknown_kind(event))
    return tuple(found)


def _selected(event: Event, states: Iterable[WorkloadState], labels: Labels) -> list[WorkloadState]:
    selector = event.selector
    if selector.everything:
        return list(states)
    return [
        one for one in states if selector.matches(one.namespace, one.name, labels(one.workload))
    ]


def _selects_nothing(event: Event) -> EventWarning:
    why = (
        "no workload is planned for"
        if event.selector.everything
        else "its selector matches none of the workloads"
    )
    message = f"{why}, so it changes nothing; GET /v1/workloads lists them"
    return EventWarning(EventTrouble.SELECTS_NOTHING, message)


def _over(event: Event) -> EventWarning:
    message = (
        f"it has been over since {instant_text(event.latest_end)}: no plan takes it, and trainings "
        "learn from it only where the traffic of that time is known"
    )
    return EventWarning(EventTrouble.OVER, message)


def _too_high(event: Event, selected: Iterable[WorkloadState]) -> Iterator[EventWarning]:
    if not declaring((event,)):
        return
    more = 0
    for number, (one, floor) in enumerate(_above(event, selected)):
        if number >= _MOST_TOLD:
            more += 1
            continue
        most = one.rule.max_replicas
        message = (
            f"its floor is {floor:,} replicas, and {one.workload} gets {most:,}, its max_replicas"
        )
        yield EventWarning(EventTrouble.FLOOR_ABOVE_MAX, message, one.workload, floor, most)
    if more:
        message = f"and so for {more} more workload{'s'[: more > 1]}"
        yield EventWarning(EventTrouble.FLOOR_ABOVE_MAX, message)


def _above(event: Event, selected: Iterable[WorkloadState]) -> Iterator[tuple[WorkloadState, int]]:
    floors: dict[float, int] = {}  # a fleet has few capacities
    for one in selected:
        capacity = one.rule.capacity_rps
        if capacity not in floors:
            floors[capacity] = wanted_floor(event, one.rule)
        if floors[capacity] > one.rule.max_replicas:
            yield one, floors[capacity]


def _unknown_kind(event: Event) -> EventWarning:
    besides = "; its floor counts all the same" if declaring((event,)) else ""
    message = (
        f"no past event of the kind {event.kind} is known and no uplift is declared, so it lifts "
        f'no forecast{besides}; declare for example "uplift": 1.7'
    )
    return EventWarning(EventTrouble.UNKNOWN_KIND, message)
