"""Events and their sources, for Prometheus: labels are the names of the settings alone."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forecaster.worker.programme import EventCounts

__all__ = ["EventCollector"]


class EventCollector(Collector):
    """How many events there are from where, and how the calendars are."""

    def __init__(self, counts: EventCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order, with or without samples."""
        counts = self._counts
        known = _gauge("preroll_events", "Events that are known, over ones included, by source.")
        for source, number in sorted(counts.known.items()):
            known.add_metric((source,), number)
        yield known
        yield GaugeMetricFamily(
            "preroll_events_on", "Events that are going on now, held ones included.", counts.on
        )
        up = _gauge(
            "preroll_event_source_up",
            "1 where the last look at a calendar brought one that can be used, 0 where it did not.",
        )
        success = _gauge(
            "preroll_event_source_last_success_timestamp_seconds",
            "When a calendar was last found usable, Unix time.",
        )
        skipped = _gauge(
            "preroll_event_source_bad_entries", "Entries of a calendar that cannot be used."
        )
        for one in counts.sources:
            up.add_metric((one.name,), float(one.error is None and one.good_at is not None))
            if one.good_at is not None:
                success.add_metric((one.name,), one.good_at.timestamp())
            skipped.add_metric((one.name,), len(one.problems))
        yield from (up, success, skipped)


def _gauge(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=("source",))
