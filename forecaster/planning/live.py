"""What live traffic says of a workload: its lead peak, while it is fresh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.durations import format_duration
from forecaster.models.peak import Taught
from forecaster.planning.target import Held, instant_text

__all__ = ["NO_LIVE", "NO_TRAFFIC", "Live", "ToldPeak"]

NO_TRAFFIC = "no live traffic yet"
"""Why there is no lead peak before the first answer: no word against one from before a restart."""


@dataclass(frozen=True)
class ToldPeak:
    """The lead peak of one workload at the quantile of its rule, as it was told.

    The window begins at ``at``, the end of the last observed interval, whose traffic was
    ``now_rps``; it has ``lead_steps`` + 1 intervals, and ``peak_rps`` is the quantile of the
    highest of them. ``why_taught`` says why a model that is not the workload's own speaks ("5h of
    own history"); empty for one that is. ``onset`` says which event that is about to begin told it,
    and by what; empty where live traffic did. ValueError for a peak that is no traffic: it must not
    become replicas.
    """

    at: datetime
    step: timedelta
    lead_steps: int
    now_rps: float
    quantile: float
    peak_rps: float
    taught: Taught
    why_taught: str = ""
    onset: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.peak_rps) and self.peak_rps >= 0):
            raise ValueError(f"a lead peak of {self.peak_rps} rps is no traffic")

    def step_end(self, now: datetime) -> datetime:
        """When the step that holds ``now`` ends, on the grid of the traffic."""
        return self.at + ((now - self.at) // self.step + 1) * self.step


@dataclass(frozen=True)
class Live:
    """The last lead peak of a workload, how long it counts, and what is still held.

    ``stale_after`` is how old the end of the last observed interval may become; ``silence`` says
    why there is no lead peak, where there is none; ``held`` is what was needed in steps just past.
    A lead peak from more than a step ahead of the clock, which was set back, does not count.
    """

    told: ToldPeak | None = None
    stale_after: timedelta = timedelta(0)
    silence: str = NO_TRAFFIC
    held: tuple[Held, ...] = ()

    def fresh(self, now: datetime) -> ToldPeak | None:
        """The lead peak, where it counts at ``now``."""
        told = self.told
        if told is None or told.at > now + told.step:
            return None
        return told if now < told.at + self.stale_after else None

    def why_not(self, now: datetime) -> str:
        """Why no lead peak counts at ``now``."""
        if self.told is None:
            return self.silence
        at, age = self.told.at, timedelta(seconds=round((now - self.told.at).total_seconds()))
        if at > now:
            return f"latest traffic ends {instant_text(at)}, {format_duration(-age)} from now"
        return f"latest traffic ended {instant_text(at)}, {format_duration(age)} ago"


NO_LIVE = Live()
