from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecaster.backtest.hpa import AverageValueMetric, Fallback, FallbackBehavior, HpaSpec, Keda
from forecaster.backtest.hpa.keda import falls_back
from forecaster.backtest.hpa.metrics import FAILED
from forecaster.backtest.hpa.signals import FALLS_BACK, Signal, seen

NAN = float("nan")


@pytest.mark.parametrize(
    ("failed", "threshold", "speaks"),
    [
        pytest.param("....", 0, "....", id="nothing-failed"),
        pytest.param("FFFFF", 3, "...FF", id="from-the-fourth-on"),
        pytest.param("F.F", 0, "F.F", id="at-once"),
        pytest.param("FFF.FFFFF", 3, ".......FF", id="a-success-starts-anew"),
    ],
)
def test_the_fallback_speaks_once_more_than_the_threshold_failed_in_a_row(
    failed: str, threshold: int, speaks: str
) -> None:
    said = falls_back(np.array([letter == "F" for letter in failed]), threshold)
    assert "".join("F" if one else "." for one in said) == speaks


@pytest.mark.parametrize(
    ("behavior", "below", "above"),
    [
        pytest.param(FallbackBehavior.STATIC, 8, 8, id="static"),
        pytest.param(FallbackBehavior.CURRENT_REPLICAS, 5, 14, id="current"),
        pytest.param(FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER, 8, 14, id="if-higher"),
        pytest.param(FallbackBehavior.CURRENT_REPLICAS_IF_LOWER, 5, 8, id="if-lower"),
    ],
)
def test_what_the_fallback_says_with_5_and_with_14_running(
    behavior: FallbackBehavior, below: int, above: int
) -> None:
    fallback = Fallback(3, 8, behavior)
    assert (fallback.replicas_at(5), fallback.replicas_at(14)) == (below, above)


def test_keda_polls_at_multiples_of_its_interval() -> None:
    keda = Keda(30)
    assert keda.polls(45, 120).tolist() == [60, 90, 120]
    assert keda.last_poll_seconds(np.array([29.0, 30.0, 44.0])).tolist() == [0, 30, 30]


def test_before_keda_has_polled_a_cached_metric_is_its_first_value() -> None:
    metric = AverageValueMetric(1, cached=True)
    syncs = np.array([75.0, 90.0, 105.0, 120.0])
    signal = Signal(np.array([4.0, 6.0, 7.0, 8.0]), delay_seconds=10)
    values = seen(signal, metric, HpaSpec((metric,), keda=Keda(100)), syncs, 60)
    assert values.tolist() == [4000, 4000, 4000, 4000]


def test_a_poll_that_succeeds_between_two_failed_syncs_starts_the_count_anew() -> None:
    metric = AverageValueMetric(1)
    # Syncs at 0, 20, 40, 60, 80 s see failures; of the polls at 0, 30, 60 s that at 30 s does not.
    values = np.array([NAN, 1, NAN, 1, NAN, 1, NAN, 1, NAN])
    signal = Signal(values, served=True)
    syncs = np.arange(5) * 20.0
    anew = HpaSpec((metric,), sync_seconds=20, keda=Keda(30, Fallback(3, 8)))
    assert seen(signal, metric, anew, syncs, 10).tolist() == [FAILED] * 4 + [FALLS_BACK]
    one_poll = HpaSpec((metric,), sync_seconds=20, keda=Keda(600, Fallback(3, 8)))
    assert seen(signal, metric, one_poll, syncs, 10).tolist() == [FAILED] * 2 + [FALLS_BACK] * 3


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda: Fallback(-1, 8), "for example 3 and 8", id="threshold"),
        pytest.param(lambda: Fallback(3, -8), "for example 3 and 8", id="replicas"),
        pytest.param(lambda: Keda(0), "for example 30", id="polling-interval"),
    ],
)
def test_settings_that_keda_would_not_take_are_refused(
    make: Callable[[], object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        make()
