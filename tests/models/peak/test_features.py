"""What the model looks at: the past only, without a scale."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak.features import (
    FEATURES,
    decisions_at,
    epsilon_rps,
    feature_matrix,
    recent_steps,
)
from forecaster.traffic.history import FloatArray, TrafficSeries

LEAD_STEPS = 5


def _features(series: TrafficSeries, path: DayAheadPath | None, rows: list[int]) -> FloatArray:
    return feature_matrix(decisions_at(series, path, LEAD_STEPS, np.array(rows)))


def test_features_are_those_of_a_slow_reading(trace: TrafficSeries, path: DayAheadPath) -> None:
    rates, row = trace.rate_rps, len(trace) - 2000
    epsilon = 1 / 60
    found = dict(zip(FEATURES, _features(trace, path, [row])[0], strict=True))
    log_now = math.log(rates[row - 1] + epsilon)

    def at(position: int) -> float:
        index = (trace.start + position * trace.step - path.start) // path.step
        return math.log(float(path.rate_rps[index]) + epsilon)

    assert found["mean_15m"] == pytest.approx(
        math.log(sum(rates[row - 15 : row]) / 15 + epsilon) - log_now, abs=1e-5
    )
    assert found["lag_10m"] == pytest.approx(
        math.log(rates[row - 11] + epsilon) - log_now, abs=1e-5
    )
    assert found["highest_60m"] == pytest.approx(
        math.log(max(rates[row - 60 : row]) + epsilon) - log_now, abs=1e-5
    )
    assert found["path_now"] == pytest.approx(at(row - 1) - log_now, abs=1e-5)
    rise = max(at(row + ahead) for ahead in range(LEAD_STEPS + 1))
    assert found["path_peak"] == pytest.approx(rise - at(row - 1), abs=1e-5)
    assert found["path_after_30m"] == pytest.approx(
        at(row + LEAD_STEPS + 30) - at(row - 1), abs=1e-5
    )
    assert found["lead_minutes"] == 5 and found["step_minutes"] == 1


def test_nothing_from_the_decision_on_is_looked_at(
    trace: TrafficSeries, path: DayAheadPath
) -> None:
    rows = [300, 5000, 9000]
    before = _features(trace, path, rows)
    for column, row in enumerate(rows):
        other = trace.rate_rps.copy()
        other[row:] = 77.0
        changed = TrafficSeries("other", trace.start, trace.step, other)
        np.testing.assert_array_equal(_features(changed, path, rows)[column], before[column])


def test_ten_times_the_traffic_is_the_same_row_but_for_the_count(
    trace: TrafficSeries, path: DayAheadPath
) -> None:
    rows = list(range(3000, 3050))
    more = TrafficSeries("more", trace.start, trace.step, trace.rate_rps * 10)
    higher = DayAheadPath(path.start, path.step, path.rate_rps * np.float32(10))
    plain, scaled = _features(trace, path, rows), _features(more, higher, rows)
    same = [i for i, name in enumerate(FEATURES) if name != "requests"]
    # ε is one request a step, here of thousands.
    np.testing.assert_allclose(scaled[:, same], plain[:, same], atol=2e-3)
    count = FEATURES.index("requests")
    assert scaled[:, count] - plain[:, count] == pytest.approx(math.log(10), abs=1e-2)


def test_a_gap_at_the_end_leaves_no_traffic_now(trace: TrafficSeries) -> None:
    rates = trace.rate_rps.copy()
    rates[499] = np.nan
    holed = TrafficSeries("holed", trace.start, trace.step, rates)
    decisions = decisions_at(holed, None, LEAD_STEPS, np.array([500, 501]))
    assert np.isnan(decisions.recent[0, -1]) and not np.isnan(decisions.recent[1, -1])
    path_columns = [i for i, name in enumerate(FEATURES) if name.startswith("path_")]
    assert np.isnan(feature_matrix(decisions)[:, path_columns]).all()


@pytest.mark.parametrize(
    ("step", "steps"),
    [(timedelta(seconds=10), 1440), (timedelta(minutes=1), 240), (timedelta(minutes=15), 16),
     (timedelta(hours=1), 8)],
    ids=["10s", "1m", "15m", "1h"],
)  # fmt: skip
def test_four_hours_are_looked_at_eight_intervals_at_the_least(step: timedelta, steps: int) -> None:
    assert recent_steps(step) == steps
    assert epsilon_rps(step) == 1 / step.total_seconds()


def test_a_row_before_the_history_has_gaps_not_errors(trace: TrafficSeries) -> None:
    found = dict(zip(FEATURES, _features(trace, None, [0])[0], strict=True))
    assert np.isnan(found["mean_5m"]) and found["lead_minutes"] == 5
