"""The exporter's three metrics, correctly computed, for HPAs that still ask for them.

An old HPA reads ``prescaling_metric`` with a target of 10 and Value: it wants its ready replicas ×
value ÷ 10, and does nothing while that ratio is from 0.9 to 1.1, both ends included (older
controllers just act on 11). So the exporter's 11 does nothing on newer ones, and its 9 never lets
go. Here the value is outside of the band wherever something has to happen:

===========================================  =======================================
nothing is on                                0
fewer replicas than are wanted               10 × wanted ÷ current, within 11.01 to 12
as many, or up to a ninth more               10
more than that                               10 × wanted ÷ current, 8 at the least
===========================================  =======================================

It asks for more than is wanted only within a step of 11.01, and never for fewer. Nor is it ever
farther away than 12 and 8: between two scrapes HPA multiplies the same value again at every sync,
so a value of 50 would grow tenfold before the next scrape tells that it was enough. From 10 to 100
replicas takes 12 syncs, 3 minutes, where pods are ready at once; by +10 % a sync it took 21. HPA
multiplies the replicas that are ready, so pods that start slowly slow both: give a ``lead_time``.

Windows and events may cross midnight, of several that overlap the largest counts, an event adds to
the daily window, multipliers may be fractions, and selectors count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.events import Calendar, DailyWindow, Event

__all__ = [
    "OLD_METRIC_HELP",
    "OLD_METRIC_LABELS",
    "OldMetricValues",
    "old_metrics",
    "prescaling_metric",
]

OLD_METRIC_LABELS = ("project", "deployment", "namespace")
"""The labels of all three, in the exporter's order; ``project`` is a label of the HPA."""
OLD_METRIC_HELP: Mapping[str, str] = {
    "prescaling_metric": "Against an HPA target of 10: above grow, 10 stay, below shrink, 0 off.",
    "prescaling_min_replica": "Replicas of the daily window, or of what is on where there is none.",
    "prescaling_multiplier": "Times prescaling_min_replica is what is wanted now; 1 outside.",
}
_TARGET = 10.0
_JUST_OUTSIDE = 11.01
_MOST, _LEAST = 12.0, 8.0
_BAND_DOWN = 0.9


@dataclass(frozen=True)
class OldMetricValues:
    """The values of one workload.

    ``wanted`` is what is declared now, 0 for nothing: min_replica × multiplier where something is
    on. ``metric`` is None where replicas are not known: then no value is served, and HPA holds.
    """

    metric: float | None
    min_replica: int
    multiplier: float
    wanted: int


def old_metrics(
    workload: str,
    calendar: Calendar,
    now: datetime,
    *,
    current_replicas: int | None,
    labels: Mapping[str, str] | None = None,
    lead_time: timedelta = timedelta(0),
) -> OldMetricValues:
    """What is declared for ``workload`` (``namespace/name``) at ``now``, as the exporter said it.

    ``calendar`` is the whole one, with its rules; ``labels`` are the workload's, for selectors.
    Only declared floors count: an uplift has no number of replicas to multiply. With a
    ``lead_time`` a floor holds so long before its start too, as Preroll's own does.
    """
    namespace, _, name = workload.rpartition("/")
    mine = calendar.selecting(namespace, name, labels)
    wanted = max(
        (
            one.floor_replicas or 0
            for one in mine.between(now, now + lead_time + timedelta(microseconds=1))
            if one.earliest_start - lead_time <= now < one.planned_end
        ),
        default=0,
    )
    daily = max((_replicas(one) for one in _patterns(calendar, namespace, name, labels)), default=0)
    least = daily or wanted
    multiplier = wanted / least if wanted > least > 0 else 1.0
    return OldMetricValues(
        metric=prescaling_metric(wanted, current_replicas),
        min_replica=least,
        multiplier=multiplier,
        wanted=wanted,
    )


def prescaling_metric(wanted: int, current: int | None) -> float | None:
    """The value for an HPA with a target of 10; None where ``current`` is not known.

    >>> [prescaling_metric(20, current) for current in (10, 17, 19, 20, 22, 24, 40)]
    [12.0, 11.765, 11.01, 10.0, 10.0, 8.334, 8.0]
    >>> prescaling_metric(0, 12), prescaling_metric(20, None)
    (0.0, None)
    """
    if wanted <= 0:
        return 0.0
    if not current:
        return None
    ratio = wanted / current
    if ratio > 1:
        return min(max(_thousandth_above(_TARGET * ratio), _JUST_OUTSIDE), _MOST)
    if ratio >= _BAND_DOWN:
        return _TARGET
    return max(_thousandth_above(_TARGET * ratio), _LEAST)


def _thousandth_above(value: float) -> float:
    """A quantity has three decimals; rounded down, one replica would be missing."""
    return math.ceil(value * 1000 - 1e-9) / 1000


def _patterns(
    calendar: Calendar, namespace: str, name: str, labels: Mapping[str, str] | None
) -> Iterable[Event]:
    for rule in calendar.recurring:
        if isinstance(rule, DailyWindow) and rule.pattern.selector.matches(namespace, name, labels):
            yield rule.pattern


def _replicas(event: Event) -> int:
    return event.floor_replicas or 0
