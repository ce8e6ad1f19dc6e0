"""A warning that targets of the plan will not fit, with the change that would make them fit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from forecaster.cluster.planned import PlanGrid
from forecaster.traffic.history import FloatArray

__all__ = [
    "Excess",
    "FitWarning",
    "Limit",
    "Span",
    "WarningKey",
    "amount_text",
    "news",
    "spans_above",
    "tightest_first",
]

WarningKey = tuple[str, str, str]
"""Limit, namespace and name of a warning."""

_LAST_BITS = 1e-9
_SAME = timedelta(minutes=15)
"""What comes again so soon is the same span: a plan swings around the limit."""

_GREW = 1.1


class Limit(StrEnum):
    """What stands in the way: a maximum of replicas, a ResourceQuota, or the nodes there are."""

    MAXIMUM = "maximum"
    QUOTA = "quota"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to ``end`` more is wanted than allowed, the most at ``peak_at``."""

    start: datetime
    end: datetime
    wanted: float
    peak_at: datetime


@dataclass(frozen=True, slots=True)
class Excess:
    """One resource of which more is wanted than ``allowed``: cores, bytes or pieces.

    ``resource`` is ``replicas``, or a key of a quota such as ``requests.cpu``.
    """

    resource: str
    spans: tuple[Span, ...]
    allowed: float

    @property
    def start(self) -> datetime:
        """When the first span begins."""
        return self.spans[0].start

    @property
    def peak_at(self) -> datetime:
        """When the most is wanted."""
        return max(self.spans, key=lambda span: span.wanted).peak_at

    @property
    def wanted(self) -> float:
        """The most that is wanted."""
        return max(one.wanted for one in self.spans)


@dataclass(frozen=True, slots=True)
class FitWarning:
    """More is planned than there will be room for; one for each cause.

    ``namespace`` and ``name`` are those of the workload whose maximum it is, or of the quota; both
    empty for the nodes, where ``name`` says which of them, if only some are meant. ``resource``,
    ``spans`` and ``allowed`` are of the tightest resource, as in :class:`Excess`; ``also`` are the
    others that are exceeded. ``used_by_others`` is the part of ``wanted`` that no plan asks for.
    ``at_least`` where not all that takes room is known; ``note`` is what else to know of it.
    ``workloads`` are those that ask for most at the highest peak. ``fix`` is the change that would
    do, ``hours_ahead`` how far the first span of all is away.
    """

    limit: Limit
    namespace: str
    name: str
    resource: str
    spans: tuple[Span, ...]
    allowed: float
    fix: str
    hours_ahead: float
    workloads: tuple[str, ...] = ()
    used_by_others: float = 0.0
    at_least: bool = False
    also: tuple[Excess, ...] = ()
    note: str = ""

    @property
    def key(self) -> WarningKey:
        """The same for the same cause, however the plan moves from training to training."""
        return (self.limit.value, self.namespace, self.name)

    @property
    def parts(self) -> tuple[Excess, ...]:
        """All that is exceeded, the tightest first."""
        return (Excess(self.resource, self.spans, self.allowed), *self.also)

    @property
    def start(self) -> datetime:
        """When the first span of all begins."""
        return min(one.start for one in self.parts)

    @property
    def wanted(self) -> float:
        """The most that is wanted of the tightest resource."""
        return self.parts[0].wanted

    def text(self) -> str:
        """One line for people, with what to do."""
        what = {
            Limit.MAXIMUM: f"{self.namespace}/{self.name}",
            Limit.QUOTA: f"quota {self.namespace}/{self.name}",
            Limit.NODES: f"nodes {self.name}".strip(),
        }[self.limit]
        first = self.spans[0]
        when = f"{_clock(first.start)} to {_clock(first.end)} UTC"
        if len(self.spans) > 1:
            when += f", and {len(self.spans) - 1} more times until {_clock(self.spans[-1].end)} UTC"
        least = "at least " if self.at_least else ""
        wanted, allowed = (
            amount_text(self.resource, self.wanted, up=True),
            amount_text(self.resource, self.allowed),
        )
        said = [f"{least}{wanted} {self.resource} wanted, {allowed} allowed, {when}"]
        said += (f"also {_also(one)}" for one in self.also)
        return f"{what}: " + "; ".join(filter(None, (*said, self.fix, self.note)))


def tightest_first(parts: Iterable[Excess]) -> list[Excess]:
    """By how many times what is allowed is wanted."""
    return sorted(
        parts, key=lambda one: -(one.wanted / one.allowed if one.allowed > 0 else math.inf)
    )


def _also(one: Excess) -> str:
    wanted = amount_text(one.resource, one.wanted, up=True)
    allowed = amount_text(one.resource, one.allowed)
    return f"{wanted} {one.resource} wanted, {allowed} allowed, from {_clock(one.start)} UTC"


def news(before: Iterable[FitWarning], after: Iterable[FitWarning]) -> tuple[FitWarning, ...]:
    """Those of ``after`` that people have not been told: new ones, and those that grew by a tenth.

    ``before`` are the warnings as they were told. A resource that is exceeded as well is new.
    """
    told = {(one.key, part.resource): part.wanted for one in before for part in one.parts}
    return tuple(
        one
        for one in after
        if any(part.wanted > told.get((one.key, part.resource), 0.0) * _GREW for part in one.parts)
    )


def spans_above(grid: PlanGrid, wanted: FloatArray, allowed: float) -> tuple[Span, ...]:
    """When ``wanted``, (steps,), is above ``allowed``; what lies 15 minutes apart is one span."""
    over = wanted > allowed + abs(allowed) * _LAST_BITS
    if not over.any():
        return ()
    edges: NDArray[np.int64] = np.flatnonzero(np.diff(over, prepend=False, append=False))
    firsts, ends = edges[::2], edges[1::2]
    apart = (firsts[1:] - ends[:-1]) > _SAME // grid.step
    firsts = firsts[np.append(True, apart)]
    ends = ends[np.append(apart, True)]
    return tuple(
        _span(grid, first, first + int(wanted[first:end].argmax()), end, wanted)
        for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)
    )


def _span(grid: PlanGrid, first: int, peak: int, end: int, wanted: FloatArray) -> Span:
    start, peak_at = max(grid.at(first), grid.now), max(grid.at(peak), grid.now)
    return Span(start, grid.at(end), float(wanted[peak]), peak_at)


def amount_text(resource: str, amount: float, *, up: bool = False) -> str:
    """An amount as Kubernetes reads it: ``520``, ``12.5`` cores, ``96Gi``; ``up`` rounds up.

    >>> amount_text("requests.cpu", 12.5), amount_text("requests.memory", 1.5 * 2**30, up=True)
    ('12.5', '1536Mi')
    """
    if resource.endswith("memory"):
        mebi = _rounded(amount / 2**20, up)
        return f"{mebi // 1024}Gi" if mebi % 1024 == 0 else f"{mebi}Mi"
    if resource.endswith("cpu"):
        milli = _rounded(amount * 1000, up)
        return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli / 1000:.3f}".rstrip("0")
    return f"{_rounded(amount, up)}"


def _rounded(amount: float, up: bool) -> int:
    return math.ceil(amount * (1 - _LAST_BITS)) if up else math.floor(amount * (1 + _LAST_BITS))


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
