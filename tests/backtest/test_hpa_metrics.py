from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from forecaster.backtest.hpa import AverageValueMetric, Band, ResourceMetric, ValueMetric
from forecaster.backtest.hpa.metrics import FAILED, Tolerance, thousandths

TENTH = Tolerance(0.1, 0.1)
NONE = Tolerance(0.0, 0.0)
OLDER = Tolerance(0.1, 0.1, Band.DISTANCE)


@pytest.mark.parametrize(
    ("value", "current", "tolerance", "asked"),
    [
        pytest.param(7, 1, TENTH, 7, id="a-floor-is-the-replicas"),
        pytest.param(7.4, 1, TENTH, 8, id="a-fraction-asks-for-one-more"),
        pytest.param(21, 20, TENTH, 20, id="21-wanted-20-running"),
        pytest.param(11, 10, TENTH, 10, id="the-upper-edge-is-in-the-band"),
        pytest.param(11.01, 10, TENTH, 12, id="just-above-it"),
        pytest.param(9, 10, TENTH, 10, id="the-lower-edge-is-in-the-band"),
        pytest.param(8.99, 10, TENTH, 9, id="just-below-it"),
        pytest.param(100, 91, TENTH, 91, id="91-satisfy-a-floor-of-100"),
        pytest.param(100, 90, TENTH, 100, id="90-do-not"),
        pytest.param(21, 20, NONE, 21, id="no-band-up"),
        pytest.param(19, 20, NONE, 19, id="no-band-down"),
        pytest.param(20, 20, NONE, 20, id="no-band-and-no-difference"),
        pytest.param(11, 10, OLDER, 11, id="older-controllers-do-scale-at-the-upper-edge"),
        pytest.param(9, 10, OLDER, 10, id="older-controllers-do-not-at-the-lower"),
        pytest.param(0, 5, TENTH, 0, id="no-floor"),
    ],
)
def test_a_floor_asks_for_its_value_unless_it_is_within_the_band(
    value: float, current: int, tolerance: Tolerance, asked: int
) -> None:
    metric = AverageValueMetric(target=1)
    assert metric.replicas(thousandths(value), current, current, tolerance) == asked


def test_the_band_may_differ_by_direction() -> None:
    only_down = Tolerance(down_ratio=0.1, up_ratio=0.0)
    metric = AverageValueMetric(target=1)
    assert metric.replicas(21_000, 20, 20, only_down) == 21
    assert metric.replicas(19_000, 20, 20, only_down) == 20


def test_a_total_is_divided_by_what_one_replica_serves() -> None:
    metric = AverageValueMetric(target=37.5)
    assert metric.replicas(thousandths(412.4), 4, 4, TENTH) == math.ceil(412.4 / 37.5) == 11


def test_a_total_is_right_whether_or_not_replicas_are_ready() -> None:
    assert AverageValueMetric(10).replicas(150_000, 12, 3, TENTH) == 15


def test_a_value_multiplies_the_ready_replicas() -> None:
    metric = ValueMetric(target=10)
    assert metric.replicas(12_000, 10, 10, TENTH) == 12
    assert metric.replicas(12_000, 10, 5, TENTH) == 6


@pytest.mark.parametrize(
    ("used", "current", "ready", "asked"),
    [
        pytest.param(9.0, 10, 10, 13, id="90-percent-against-70"),
        pytest.param(7.7, 10, 10, 10, id="77-percent-is-in-the-band"),
        pytest.param(7.79, 10, 10, 10, id="so-is-77.9-for-percents-are-cut"),
        pytest.param(7.8, 10, 10, 12, id="78-percent-is-not"),
        pytest.param(3.5, 10, 10, 5, id="half-of-the-target"),
        pytest.param(8.0, 12, 8, 12, id="100-percent-of-8-is-66-of-12"),
        pytest.param(12.0, 12, 8, 18, id="150-percent-of-8-is-100-of-12"),
        pytest.param(5.0, 12, 8, 8, id="fewer-are-counted-from-the-ready-ones"),
        pytest.param(5.0, 12, 0, None, id="nothing-to-measure"),
    ],
)
def test_cpu_counts_starting_replicas_as_idle_on_the_way_up(
    used: float, current: int, ready: int, asked: int | None
) -> None:
    metric = ResourceMetric(target_percent=70)
    assert metric.replicas(thousandths(used), current, ready, TENTH) == asked


def test_cpu_at_its_limit_hides_how_much_is_missing() -> None:
    overload = thousandths(50)
    assert ResourceMetric(70).replicas(overload, 10, 10, TENTH) == 72
    assert ResourceMetric(70, limit_percent=100).replicas(overload, 10, 10, TENTH) == 15


def test_a_value_is_carried_in_thousandths() -> None:
    assert thousandths(1.001) == 1001
    assert thousandths(math.nan) == FAILED


@pytest.mark.parametrize("value", [-3, math.inf, -math.inf])
def test_a_value_that_keda_would_misread_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        thousandths(value)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: AverageValueMetric(0), id="average-value"),
        pytest.param(lambda: AverageValueMetric(math.nan), id="not-a-number"),
        pytest.param(lambda: ValueMetric(-1), id="value"),
        pytest.param(lambda: ResourceMetric(0), id="percent"),
        pytest.param(lambda: ResourceMetric(70, 0), id="limit"),
    ],
)
def test_a_target_that_cannot_be_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="at least"):
        make()
