"""Whether live traffic comes, and if not: since when, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from forecaster.planning.snapshot import ObservedTraffic
from forecaster.settings import Fleet
from forecaster.worker.messages import Refreshed, RefreshFailed
from forecaster.worker.words import stamp

__all__ = ["SourceWatch"]

_LATE_STEPS = 3  # one may be late, two are a slow scrape, more are an outage


class SourceWatch:
    """The latest traffic of each workload, and the source's last word.

    ``error`` is why the last question failed, or None; ``warnings`` and ``refused`` are what the
    last answer said: of the whole, and of the workloads whose traffic cannot be used.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._step = fleet.step
        self._observed: dict[str, ObservedTraffic] = {}
        self._nothing_since: datetime | None = None
        self.error: str | None = None
        self.warnings: tuple[str, ...] = ()
        self.refused: Mapping[str, str] = {}

    @property
    def failing(self) -> bool:
        """Whether the last question failed."""
        return self.error is not None

    def take(self, result: Refreshed | RefreshFailed) -> None:
        """The answer to the last question, or the reason why there is none."""
        if isinstance(result, RefreshFailed):
            self.error, self.refused = result.error, {}
            self._nothing_since = self._nothing_since or result.at
            return
        self.error, self.refused = None, result.refused
        self._nothing_since = None if result.observed else self._nothing_since or result.at
        self._observed.update(result.observed)
        self.warnings = result.warnings

    def observed(self, workload: str) -> ObservedTraffic | None:
        """The latest complete interval of a workload, however old."""
        return self._observed.get(workload)

    def silence(self, now: datetime) -> str | None:
        """That the source gives no traffic, since when and why; None where it does.

        None, too, before the first question was answered: nothing is known then.
        """
        newest = max((one.start for one in self._observed.values()), default=None)
        since = self._nothing_since if newest is None else newest + self._step
        if since is None or not (self.failing or newest is None or self._late(since, now)):
            return None
        why = f" ({self.error})" if self.failing else ""
        return f"no traffic from the source since {stamp(since)}{why}"

    def own_silence(self, workload: str, now: datetime) -> str | None:
        """That this one workload has no traffic any more, or none that can be used, and why.

        None where it has, or never had any.
        """
        if workload in self.refused:
            return f"the latest traffic of {workload} cannot be used: {self.refused[workload]}"
        latest = self._observed.get(workload)
        if latest is None or not self._late(latest.start + self._step, now):
            return None
        return f"no traffic for {workload} since {stamp(latest.start + self._step)}"

    def _late(self, end: datetime, now: datetime) -> bool:
        return now - end > _LATE_STEPS * self._step
