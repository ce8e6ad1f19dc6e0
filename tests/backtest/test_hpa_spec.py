from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_UP,
    AverageValueMetric,
    Band,
    HpaSpec,
    PolicyType,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
)
from forecaster.backtest.hpa.metrics import Tolerance

SPEC = HpaSpec((AverageValueMetric(1),))


def test_a_direction_without_a_tolerance_has_the_controllers() -> None:
    behavior = ScaleBehavior(scale_up=replace(DEFAULT_SCALE_UP, tolerance_ratio=0.0))
    spec = replace(SPEC, behavior=behavior, tolerance_ratio=0.2)
    assert spec.tolerance == Tolerance(down_ratio=0.2, up_ratio=0.0)


def test_an_older_controller_has_no_tolerance_by_direction() -> None:
    behavior = ScaleBehavior(scale_up=replace(DEFAULT_SCALE_UP, tolerance_ratio=0.0))
    with pytest.raises(ValueError, match=r"leave ScaleRules\.tolerance_ratio None"):
        replace(SPEC, behavior=behavior, band=Band.DISTANCE)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"metrics": ()}, "at least one", id="no-metrics"),
        pytest.param({"min_replicas": 0}, "1 <= min_replicas", id="to-zero"),
        pytest.param({"min_replicas": 9, "max_replicas": 8}, "not 9 and 8", id="crossed"),
        pytest.param({"sync_seconds": 0}, "for example 15", id="sync"),
        pytest.param({"tolerance_ratio": -0.1}, "for example 0.1", id="tolerance"),
        pytest.param({"tolerance_ratio": 10}, "not 10", id="a-percentage"),
        pytest.param({"downscale_stabilization_seconds": -1}, "for example 300", id="window"),
    ],
)
def test_a_specification_that_cannot_be_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(SPEC, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda: ScalePolicy(PolicyType.PODS, 0, 15), "for example 4", id="value"),
        pytest.param(lambda: ScalePolicy(PolicyType.PODS, 4, 1801), "1 to 1800", id="period"),
        pytest.param(lambda: ScaleRules((), 0), "at least one", id="no-policies"),
        pytest.param(
            lambda: replace(DEFAULT_SCALE_UP, stabilization_window_seconds=3601),
            "0 to 3600",
            id="window",
        ),
        pytest.param(
            lambda: replace(DEFAULT_SCALE_UP, tolerance_ratio=-1), "not -1", id="tolerance"
        ),
    ],
)
def test_what_kubernetes_would_not_take_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
