"""A workload whose capacity is known, because its requests are simulated: an independent truth.

Requests come by chance (Poisson) at the rate of the hour, each takes a CPU for a time of its own
(gamma), replicas come and go by an autoscaler that looks at their use, and are busy with themselves
while they start. Nothing here knows of lines or fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Load:
    """``cpu_seconds`` a request; ``requested`` and ``limit`` are cores of a replica.

    ``idle`` is the CPU that a replica without traffic uses, in cores. ``release_day`` multiplies
    the cost by ``release_factor`` from then on. ``batch_share`` of the hours have ``batch_cores``
    of other work in each replica. ``contention`` makes a request dearer as cores fill up.
    """

    days: int = 14
    seed: int = 1
    peak_rps: float = 3000.0
    valley: float = 0.12
    cpu_seconds: float = 0.004
    idle: float = 0.03
    requested: float = 0.5
    limit: float = 4.0
    release_day: float | None = None
    release_factor: float = 1.0
    batch_share: float = 0.0
    batch_cores: float = 0.3
    contention: float = 0.0
    noise: float = 0.03
    wander: float = 0.03
    fixed_replicas: int | None = None
    hpa_target: float = 0.7
    least: int = 6
    most: int = 400
    traffic_lag: int = 0

    def capacity(self, target: float, released: bool = False) -> float:
        """The truth, by arithmetic: where idle and work are ``target`` of the request."""
        cost = self.cpu_seconds * (self.release_factor if released else 1.0)
        return (target * self.requested - self.idle) / cost


@dataclass(frozen=True)
class Signals:
    traffic: TrafficSeries
    replicas: TrafficSeries
    saturation: TrafficSeries

    @property
    def now(self) -> datetime:
        return self.traffic.end

    def each(self) -> tuple[TrafficSeries, TrafficSeries, TrafficSeries]:
        return self.traffic, self.replicas, self.saturation


def simulate(load: Load, name: str = "streaming/player-api") -> Signals:
    """Minute by minute, with a queue for what the limit leaves undone."""
    random = np.random.default_rng(load.seed)
    count = load.days * 1440
    hour = np.arange(count) / 60 % 24
    day = np.arange(count) // 1440
    shape = np.exp(-(((hour - 20.5 + 12) % 24 - 12) ** 2) / 8) + 0.35 * np.exp(
        -((hour - 13) ** 2) / 10
    )
    level = np.exp(random.normal(0, 0.12, load.days))[day]
    rate = load.peak_rps * level * (load.valley + (1 - load.valley) * shape)
    rate *= np.exp(_wandering(random, count, 0.05, 20))
    cost_drift = np.exp(_wandering(random, count, load.wander, 180) - load.wander**2 / 2)
    batch = np.repeat(random.random(count // 60) < load.batch_share, 60)
    noise = np.exp(random.normal(-(load.noise**2) / 2, load.noise, count))

    requests = random.poisson(rate * 60)
    each_half = random.gamma(np.maximum(requests, 1) * 2.0)  # CPU time, in halves of a mean request
    ready = np.empty(count)
    used = np.empty(count)
    running = float(
        load.fixed_replicas or max(load.least, np.ceil(rate[0] / load.capacity(load.hpa_target)))
    )
    starting: list[tuple[int, float]] = []  # ready at which minute, how many
    wishes: list[float] = []
    queue = 0.0
    for minute in range(count):
        arrived = [number for at, number in starting if at <= minute]
        starting = [(at, number) for at, number in starting if at > minute]
        running += sum(arrived)
        cost = load.cpu_seconds * cost_drift[minute]
        if load.release_day is not None and minute >= load.release_day * 1440:
            cost *= load.release_factor
        work = each_half[minute] * cost / 2  # CPU seconds
        busy = work / (running * 60 * load.requested)
        work *= 1 + load.contention * max(busy - 0.4, 0)
        other = load.idle + (load.batch_cores if batch[minute] else 0.0)
        room = max(load.limit - other, 0.0) * running * 60
        done = min(queue + work, room)
        queue = min(queue + work - done, room)  # who waits for longer than a minute goes away
        fresh = sum(number for _, number in starting)
        cores = done / 60 + other * running + 0.8 * load.requested * fresh
        ready[minute] = running
        used[minute] = cores / (running + fresh) / load.requested * noise[minute]
        if load.fixed_replicas is None:
            pods = running + fresh
            wish = (
                pods
                if 0.9 <= used[minute] / load.hpa_target <= 1.1
                else np.ceil(pods * used[minute] / load.hpa_target)
            )
            wish = float(np.clip(wish, load.least, load.most))
            wishes = [*wishes[-4:], wish]
            if wish > pods:
                starting.append((minute + 2, wish - pods))
            elif max(wishes) < running and not starting:
                running = max(wishes)
    shown = np.roll(requests / 60, -load.traffic_lag) if load.traffic_lag else requests / 60
    return Signals(*(TrafficSeries(name, START, MINUTE, one) for one in (shown, ready, used)))


def _wandering(random: np.random.Generator, count: int, size: float, minutes: int) -> np.ndarray:
    """A log that wanders about 0 with a memory of ``minutes``."""
    keep = np.exp(-1 / minutes)
    pushes = random.normal(0, size * np.sqrt(1 - keep**2), count)
    answer = np.empty(count)
    value = random.normal(0, size)
    for number, push in enumerate(pushes):
        value = keep * value + push
        answer[number] = value
    return answer


@lru_cache(maxsize=64)
def cached(load: Load) -> Signals:
    """``simulate``, once for all tests of a process."""
    return simulate(load)


def capacity_by_search(load: Load, target: float) -> float:
    """The truth under contention, where no arithmetic gives it: halving, on the simulated cost."""
    low, high = 0.0, load.capacity(target)
    for _ in range(60):
        rate = (low + high) / 2
        busy = rate * load.cpu_seconds / load.requested
        used = busy * (1 + load.contention * max(busy - 0.4, 0)) + load.idle / load.requested
        low, high = (rate, high) if used < target else (low, rate)
    return low
