"""The exporter's three metrics, correctly computed, for HPAs that still ask for them.

An old HPA reads ``prescaling_metric`` with a target of 10 and Value: it wants value ÷ 10 × the
replicas that are **ready**, and does nothing while value ÷ 10 is from 0.9 to 1.1, both ends
included (older controllers just act on 11). So the exporter's 11 does nothing on newer ones, its 9
never lets go, and with pods that take five minutes 5 replicas grow to 60 in 105 minutes. Here:

=====================================  ===========================================================
nothing is on                          0
fewer replicas than are wanted         what leads to a fifth more than there are, up to what is
                                       wanted; 11.01 at the least
as many, or up to a ninth more         10
more than that, and all are ready      what leads to a fifth fewer, down to what is wanted
=====================================  ===========================================================

HPA asks for the same again at every sync until the next scrape, and pods become ready in between.
So the value is never more than leads to a fifth above what is wanted once all are ready; where that
would be no more than there are already, it waits, with 10. From 10 to 100 replicas takes 12 syncs,
3 minutes, where pods are ready at once; by +10 % a sync it took 21. From 5 to 60, with pods that
take five minutes and ``ready`` given, it takes 16 minutes.

Windows and events may cross midnight, of several that overlap the largest counts, an event adds to
the daily window, multipliers may be fractions, and selectors count.

Who can edit the HPA has it exact with ``prescaling_replicas``: type AverageValue, target "1".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.events import Calendar, DailyWindow, Event
from forecaster.programme.prescaling import WINDOW_KIND

__all__ = [
    "OLD_METRIC_HELP",
    "OLD_METRIC_LABELS",
    "OldMetricValues",
    "old_metrics",
    "prescaling_metric",
]

OLD_METRIC_LABELS = ("project", "deployment", "namespace")
"""The labels of all, in the exporter's order; ``project`` is a label of the HPA."""
OLD_METRIC_HELP: Mapping[str, str] = {
    "prescaling_metric": "Against an HPA target of 10: above grow, 10 stay, below shrink, 0 off.",
    "prescaling_min_replica": "Replicas of the daily window, or of what is on where there is none.",
    "prescaling_multiplier": "Times prescaling_min_replica is what is wanted now; 1 outside.",
    "prescaling_replicas": "Replicas that are wanted now, against an AverageValue of 1; 0 off.",
}
_TARGET = 10.0
_JUST_OUTSIDE = 11.01
_GROWTH = 1.2
_LEAST = 8.0
_BAND_DOWN = 0.9


@dataclass(frozen=True)
class OldMetricValues:
    """The values of one workload.

    ``wanted`` (prescaling_replicas) is what is declared now, 0 for nothing: min_replica ×
    multiplier where something is on. ``metric`` is None where replicas are not known: then no value
    is served, and HPA holds.
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
    ready_replicas: int | None = None,
    labels: Mapping[str, str] | None = None,
    lead_time: timedelta = timedelta(0),
) -> OldMetricValues:
    """What is declared for ``workload`` (``namespace/name``) at ``now``, as the exporter said it.

    ``calendar`` is the whole one, with its rules, or with the events that came of them, a day to
    either side at least; ``labels`` are the workload's, for selectors.
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
        metric=prescaling_metric(wanted, current_replicas, ready_replicas),
        min_replica=least,
        multiplier=multiplier,
        wanted=wanted,
    )


def prescaling_metric(wanted: int, current: int | None, ready: int | None = None) -> float | None:
    """The value for an HPA with a target of 10; None where ``current`` is not known.

    Without ``ready`` all are taken to be ready.

    >>> [prescaling_metric(20, current) for current in (10, 17, 19, 20, 22, 24, 40)]
    [12.0, 11.765, 11.01, 10.0, 10.0, 8.334, 8.0]
    >>> prescaling_metric(100, 20, ready=10), prescaling_metric(0, 12), prescaling_metric(20, None)
    (24.0, 0.0, None)
    """
    if wanted <= 0:
        return 0.0
    if not current:
        return None
    ready = current if ready is None else min(ready, current)
    if current < wanted and ready > 0:
        goal = min(float(wanted), _GROWTH * current)
        value = max(_thousandth_above(_TARGET * goal / ready), _JUST_OUTSIDE)
        value = min(value, _TARGET * _GROWTH * wanted / current)
        grows = math.ceil(value / _TARGET * ready) > current
        return round(value, 3) if grows else _TARGET
    if current * _BAND_DOWN <= wanted or ready < current:
        return _TARGET
    return max(_thousandth_above(_TARGET * wanted / current), _LEAST)


def _thousandth_above(value: float) -> float:
    """A quantity has three decimals; rounded down, one replica would be missing."""
    return math.ceil(value * 1000 - 1e-9) / 1000


def _patterns(
    calendar: Calendar, namespace: str, name: str, labels: Mapping[str, str] | None
) -> Iterable[Event]:
    for rule in calendar.recurring:
        if isinstance(rule, DailyWindow) and rule.pattern.selector.matches(namespace, name, labels):
            yield rule.pattern
    for event in calendar.events:
        if event.kind == WINDOW_KIND and event.selector.matches(namespace, name, labels):
            yield event


def _replicas(event: Event) -> int:
    return event.floor_replicas or 0
