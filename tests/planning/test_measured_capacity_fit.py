from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from forecaster.planning.measured_capacity_change import last_change
from forecaster.planning.measured_capacity_fit import (
    clusters,
    fit_line,
    log_interval,
    resampled_lines,
)
from forecaster.planning.measured_capacity_points import LoadPoints
from tests.planning.load_simulation import START

DAY = 288  # points of five minutes


def points_of(rate, saturation, expected=None):
    at = START.timestamp() + 300.0 * np.arange(len(rate))
    known = rate if expected is None else expected
    return LoadPoints(timedelta(minutes=5), at, rate, np.ones(len(rate)), saturation, known)


def daily(days, seed=1):
    random = np.random.default_rng(seed)
    hour = np.arange(days * DAY) / 12
    rate = 50 + 40 * np.sin(hour / 24 * 2 * np.pi) + random.normal(0, 3, days * DAY)
    return random, rate


def test_without_noise_it_is_the_line():
    _, rate = daily(3)
    line = fit_line(points_of(rate, 0.05 + 0.007 * rate))
    assert (line.idle, line.slope) == pytest.approx((0.05, 0.007))


def test_with_even_noise_it_is_about_least_squares():
    random, rate = daily(20)
    saturation = 0.2 + 0.005 * rate + random.normal(0, 0.02, len(rate))
    line = fit_line(points_of(rate, saturation))
    oracle = stats.linregress(rate, saturation)
    assert abs(line.slope - oracle.slope) < oracle.stderr
    assert abs(line.idle - oracle.intercept) < 2 * oracle.intercept_stderr


def test_a_fifth_of_wild_points_does_not_bend_it():
    random, rate = daily(10)
    saturation = (0.05 + 0.007 * rate) * np.exp(random.normal(0, 0.03, len(rate)))
    saturation[random.random(len(rate)) < 0.2] += 0.6
    line = fit_line(points_of(rate, saturation))
    assert line.slope * 90 + line.idle == pytest.approx(0.68, rel=0.01)
    plain = stats.linregress(rate, saturation)
    assert plain.slope * 90 + plain.intercept > 0.75


def test_what_an_autoscaler_answers_does_not_flatten_it():
    random, level = daily(20)
    cost = np.exp(random.normal(0, 0.15, len(level)))
    rate = level / cost  # replicas come where requests are dear
    points = points_of(rate, 0.05 + 0.007 * cost * rate, expected=level)
    by_rate = fit_line(points_of(rate, points.saturation))
    by_expected = fit_line(points)
    assert by_expected.slope * level.mean() + by_expected.idle == pytest.approx(0.4, rel=0.03)
    assert by_expected.slope > 1.05 * by_rate.slope


def test_the_same_rate_everywhere_has_no_slope():
    line = fit_line(points_of(np.full(100, 5.0), np.full(100, 0.5)))
    assert (line.idle, line.slope) == (0.5, 0.0)


def test_days_are_drawn_whole_and_quarters_of_them_where_they_are_few():
    _, rate = daily(12)
    assert np.bincount(clusters(points_of(rate, rate))).tolist() == [DAY] * 12
    assert np.bincount(clusters(points_of(rate[: 4 * DAY], rate[: 4 * DAY]))).tolist() == [72] * 16


def test_resampling_finds_the_spread_that_whole_days_make():
    days, draws = 40, 300
    random, rate = daily(days)
    dear = np.repeat(np.exp(random.normal(0, 0.05, days)), DAY)
    points = points_of(rate, 0.007 * rate * dear)
    _, slope = resampled_lines(points, fit_line(points), draws)
    # Were points free of each other, the spread would be that of thousands; it is that of days.
    assert np.std(np.log(slope)) == pytest.approx(0.05 / np.sqrt(days), rel=0.5)


def test_an_interval_is_students_and_never_narrower_than_what_is_beside_chance():
    drawn = np.exp(np.random.default_rng(5).normal(0, 0.03, 100_000))
    found = log_interval(100.0, drawn, 9)
    reach = np.hypot(stats.t.ppf(0.95, 8) * 0.03 * np.sqrt(9 / 8), 0.01)
    assert found.low == pytest.approx(100 * np.exp(-reach), rel=0.002)
    assert found.high == pytest.approx(100 * np.exp(reach), rel=0.002)
    assert log_interval(100.0, np.full(10, 3.0), 9).half_width == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize("drawn", [[1.0, -1.0], [1.0, np.inf], [1.0, np.nan]])
def test_a_draw_without_capacity_makes_the_interval_endless(drawn):
    found = log_interval(5.0, np.array(drawn), 8)
    assert (found.low, found.high) == (0.0, np.inf)


def test_two_releases_are_seen_and_the_last_one_counts():
    random, rate = daily(15)
    cost = np.repeat([1.0, 1.4, 1.2], 5 * DAY)
    saturation = 0.03 + 0.007 * rate * cost * np.exp(random.normal(0, 0.02, len(rate)))
    found = last_change(points_of(rate, saturation))
    assert found is not None
    assert found.ratio == pytest.approx(1.2 / 1.4, rel=0.02)
    assert abs(found.at_seconds - START.timestamp() - 10 * 86_400) <= 6 * 3600


@pytest.mark.parametrize("seed", range(8))
def test_no_release_is_seen_where_there_is_none(seed):
    random, rate = daily(14, seed)
    by_hour = np.tile(1 + 0.06 * np.sin(np.arange(DAY) / DAY * 2 * np.pi), 14)
    saturation = 0.03 + 0.007 * rate * by_hour * np.exp(random.normal(0, 0.05, len(rate)))
    assert last_change(points_of(rate, saturation)) is None
