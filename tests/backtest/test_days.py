"""Two replays day by day, against a loop over the steps."""

from collections import defaultdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from forecaster.backtest.days import ComparedDay, compare_days, worse_days
from tests.backtest.proof_cases import make_series_proof

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def one():
    return make_series_proof(frontier=False)


def by_hand(one, name):
    lost, all_of_it = defaultdict(float), defaultdict(float)
    for step, rate in enumerate(one.span.rate_rps.tolist()):
        day = (one.span.start + step * one.series.step).astimezone(PARIS).date()
        if rate == rate:
            all_of_it[day] += rate
            lost[day] += one.replays[name].short[step] * one.settings.capacity_rps
    return {day: lost[day] / all_of_it[day] for day in all_of_it}


def test_each_day_of_the_audiences_clock_has_what_both_left_unserved(one):
    found = compare_days(
        one.span, one.settings, one.replays["preroll"], one.replays["hpa"], "Europe/Paris"
    )
    assert [day.day for day in found] == [date(2026, 6, 3) + timedelta(days=n) for n in range(4)]
    ours, theirs = by_hand(one, "preroll"), by_hand(one, "hpa")
    assert max(theirs.values()) > 0
    for day in found:
        assert day.ours == pytest.approx(ours[day.day], abs=1e-8)
        assert day.theirs == pytest.approx(theirs[day.day], abs=1e-8)


def test_the_worst_day_comes_first_and_a_hair_is_no_difference():
    days = [
        ComparedDay(date(2026, 6, n), ours, theirs)
        for n, (ours, theirs) in enumerate(
            [(0.01, 0.02), (0.003, 0.001), (0.02, 0.002), (0.00101, 0.001), (0.0, 0.0)], start=1
        )
    ]
    assert [one.day.day for one in worse_days(days)] == [3, 2]


def test_a_day_without_traffic_is_not_compared(one):
    rates = one.series.rate_rps.copy()
    rates[one.span.first + 12 * 24 : one.span.first + 2 * 12 * 24] = float("nan")
    series = type(one.series)(one.series.series_id, one.series.start, one.series.step, rates)
    span = type(one.span)(series, one.span.start)
    found = compare_days(span, one.settings, one.replays["preroll"], one.replays["hpa"])
    assert [day.day.day for day in found] == [3, 5]
