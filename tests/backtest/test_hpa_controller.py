"""Timelines worked by hand; those of a real controller are in test_hpa_recorded.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    AverageValueMetric,
    Band,
    HpaController,
    HpaSpec,
    PolicyType,
    ResourceMetric,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
    SelectPolicy,
    ValueMetric,
)

NAN = float("nan")
PLAIN = HpaSpec((AverageValueMetric(1),))
DEFAULTS = replace(PLAIN, behavior=ScaleBehavior())
PATHS = pytest.mark.parametrize(
    "spec", [pytest.param(PLAIN, id="without-behavior"), pytest.param(DEFAULTS, id="with-behavior")]
)


def up(spec: HpaSpec, rules: ScaleRules) -> HpaSpec:
    return replace(spec, behavior=ScaleBehavior(scale_up=rules))


def down(spec: HpaSpec, rules: ScaleRules) -> HpaSpec:
    return replace(spec, behavior=ScaleBehavior(scale_down=rules))


def policies(*given: tuple[str, int, int], **fields: object) -> ScaleRules:
    made = tuple(ScalePolicy(PolicyType(kind), value, period) for kind, value, period in given)
    return ScaleRules(made, 0, **fields)  # type: ignore[arg-type]


def run(spec: HpaSpec, values: Sequence[float | Sequence[float]], start: int) -> list[int]:
    """The replicas after each sync of 15 s, from ``start``."""
    controller = HpaController(spec)
    replicas = [start]
    for sync, value in enumerate(values):
        said = [value] if isinstance(value, int | float) else value
        replicas.append(controller.sync(15.0 * sync, replicas[-1], said))
    return replicas[1:]


@pytest.mark.parametrize(
    ("spec", "start", "wanted", "expected"),
    [
        pytest.param(PLAIN, 1, 7, [4, 7, 7], id="without-behavior-1-4-7"),
        pytest.param(PLAIN, 7, 50, [14, 28, 50, 50], id="without-behavior-7-14-28-50"),
        pytest.param(DEFAULTS, 1, 7, [5, 7, 7], id="default-policies-1-5-7"),
        pytest.param(DEFAULTS, 7, 50, [14, 28, 50, 50], id="default-policies-7-14-28-50"),
        pytest.param(
            up(PLAIN, policies(("Pods", 1000, 15))), 7, 50, [50, 50], id="a-thousand-pods-at-once"
        ),
    ],
)
def test_the_way_up(spec: HpaSpec, start: int, wanted: int, expected: list[int]) -> None:
    assert run(spec, [wanted] * len(expected), start) == expected


@PATHS
def test_21_wanted_with_20_running_is_ignored_for_as_long_as_watched(spec: HpaSpec) -> None:
    assert run(spec, [21] * 40, 20) == [20] * 40


def test_without_a_band_on_the_way_up_it_is_not() -> None:
    spec = up(PLAIN, replace(DEFAULT_SCALE_UP, tolerance_ratio=0.0))
    assert run(spec, [21, 20, 19], 20) == [21, 21, 21]


@PATHS
def test_the_way_down_is_300_s_after_the_last_higher_value(spec: HpaSpec) -> None:
    replicas = run(spec, [12, 12, 12] + [3] * 22, 12)
    # The last 12 is the sync at 30 s; the sync at 330 s is number 22.
    assert replicas == [12] * 22 + [3, 3, 3]


@PATHS
def test_what_runs_at_first_counts_as_recommended(spec: HpaSpec) -> None:
    assert run(spec, [3] * 21, 12) == [12] * 20 + [3]


def test_without_behavior_it_climbs_on_to_a_peak_that_has_passed() -> None:
    assert run(PLAIN, [50] + [2] * 22, 1) == [4, 8, 16, 32] + [50] * 16 + [2, 2, 2]


def test_with_behavior_it_does_not_but_keeps_what_it_has() -> None:
    assert run(DEFAULTS, [50] + [2] * 20, 1) == [5] * 20 + [2]


def test_a_window_on_the_way_up_waits_for_the_lowest_to_pass() -> None:
    spec = up(PLAIN, replace(DEFAULT_SCALE_UP, stabilization_window_seconds=60))
    assert run(spec, [5, 10, 9, 10, 10, 10, 10], 5) == [5, 5, 5, 5, 9, 9, 10]
    assert run(spec, [5, 10, 20, 10, 10, 10, 10], 5) == [5, 5, 5, 5, 10, 10, 10]


def test_a_slow_way_down_counts_what_went_within_its_period() -> None:
    spec = down(PLAIN, policies(("Percent", 10, 60)))
    # 14 × 0.9 = 12.6, 12 × 0.9 = 10.8, 10 × 0.9 = 9, each cut to whole pods, a minute apart.
    assert run(spec, [1] * 10, 14) == [12, 12, 12, 12, 10, 10, 10, 10, 9, 9]


def test_a_slow_way_up_counts_what_came_within_its_period() -> None:
    spec = up(PLAIN, policies(("Pods", 4, 60)))
    assert run(spec, [30] * 9, 10) == [14, 14, 14, 14, 18, 18, 18, 18, 22]


def test_what_went_within_the_period_may_come_back_on_top() -> None:
    spec = replace(
        PLAIN,
        behavior=ScaleBehavior(policies(("Pods", 4, 60)), policies(("Percent", 100, 15))),
    )
    # Three went at 15 s. At 30 s the period began with 10: 14 are allowed, seven at once. At 75 s
    # it began with the 7, and 14 are there already; at 90 s it began with these 14.
    assert run(spec, [10, 7, 30, 30, 30, 30, 30], 10) == [10, 7, 14, 14, 14, 14, 18]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        pytest.param(SelectPolicy.MAX, [20, 40], id="the-largest-change"),
        pytest.param(SelectPolicy.MIN, [14, 18], id="the-smallest-change"),
        pytest.param(SelectPolicy.DISABLED, [10, 10], id="none"),
    ],
)
def test_one_of_several_policies_rules_the_way_up(
    select: SelectPolicy, expected: list[int]
) -> None:
    spec = up(PLAIN, replace(DEFAULT_SCALE_UP, select_policy=select))
    assert run(spec, [100, 100], 10) == expected


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        pytest.param(SelectPolicy.MAX, [5, 1], id="the-largest-change"),
        pytest.param(SelectPolicy.MIN, [8, 6], id="the-smallest-change"),
        pytest.param(SelectPolicy.DISABLED, [10, 10], id="none"),
    ],
)
def test_one_of_several_policies_rules_the_way_down(
    select: SelectPolicy, expected: list[int]
) -> None:
    rules = policies(("Pods", 5, 15), ("Percent", 20, 15), select_policy=select)
    assert run(down(PLAIN, rules), [1, 1], 10) == expected


@PATHS
def test_minimum_and_maximum_are_kept(spec: HpaSpec) -> None:
    spec = replace(spec, min_replicas=3, max_replicas=12)
    assert run(spec, [100, 100, 100], 4) == [8, 12, 12]
    assert run(spec, [0] * 30, 4)[-1] == 3


@PATHS
def test_what_lies_outside_is_brought_inside_whatever_the_metrics_say(spec: HpaSpec) -> None:
    spec = replace(spec, min_replicas=3, max_replicas=12)
    assert run(spec, [NAN], 1) == [3]
    assert run(spec, [NAN], 40) == [12]


@PATHS
def test_a_workload_at_zero_is_left_alone(spec: HpaSpec) -> None:
    assert run(spec, [9, 9], 0) == [0, 0]


@PATHS
def test_the_highest_of_several_metrics_wins(spec: HpaSpec) -> None:
    spec = replace(spec, metrics=(AverageValueMetric(1), AverageValueMetric(10)))
    assert run(spec, [[6, 40], [6, 71], [6, 79], [9, 79]], 6) == [6, 8, 8, 9]


@PATHS
def test_a_failed_metric_holds(spec: HpaSpec) -> None:
    assert run(spec, [6] + [NAN] * 60 + [6], 6) == [6] * 62


@PATHS
def test_with_one_metric_failing_the_other_may_ask_for_more_and_never_for_fewer(
    spec: HpaSpec,
) -> None:
    spec = replace(spec, metrics=(AverageValueMetric(1), AverageValueMetric(10)))
    replicas = run(spec, [[6, 20], [NAN, 90]] + [[NAN, 20]] * 60, 6)
    assert replicas == [6] + [9] * 61


def test_a_hold_is_no_recommendation_and_does_not_lengthen_the_memory() -> None:
    assert run(DEFAULTS, [12] + [NAN] * 25 + [3], 12) == [12] * 26 + [3]


def test_growth_by_a_tenth_takes_21_syncs_from_10_to_100_on_older_controllers() -> None:
    older = replace(PLAIN, metrics=(ValueMetric(10),), band=Band.DISTANCE)
    replicas = run(older, [11] * 21, 10)
    assert (replicas[0], replicas[-2], replicas[-1] >= 100) == (11, 94, True)


def test_newer_controllers_ignore_growth_by_a_tenth() -> None:
    newer = replace(PLAIN, metrics=(ValueMetric(10),))
    assert run(newer, [11] * 21, 10) == [10] * 21


def test_ready_replicas_matter_to_cpu() -> None:
    controller = HpaController(replace(DEFAULTS, metrics=(ResourceMetric(70),)))
    assert controller.sync(0, 12, [8.0], ready_replicas=8) == 12
    assert controller.sync(15, 12, [12.0], ready_replicas=8) == 18


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param([1.0, 2.0], "one value for each of 1", id="too-many"),
        pytest.param([-3.0], "not -3", id="negative"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        HpaController(PLAIN).sync(0, 1, values)


def test_syncs_left_out_while_it_is_quiet_can_be_stood_for() -> None:
    thorough, brisk = HpaController(DEFAULTS), HpaController(DEFAULTS)
    for sync in range(20):
        thorough.sync(15.0 * sync, 12, [12.0])
    brisk.sync(0, 12, [12.0])
    assert brisk.quiet_until(0) == float("inf")
    brisk.repeat(15.0 * 19)
    at = [15.0 * sync for sync in range(20, 42)]
    assert [thorough.sync(t, 12, [3.0]) for t in at] == [brisk.sync(t, 12, [3.0]) for t in at]


def test_it_is_quiet_until_the_higher_recommendation_has_left_its_window() -> None:
    controller = HpaController(replace(DEFAULTS, behavior=ScaleBehavior()))
    controller.sync(0, 12, [12.0])
    controller.sync(15, 12, [3.0])
    assert controller.quiet_until(15) == DEFAULT_SCALE_DOWN.stabilization_window_seconds
