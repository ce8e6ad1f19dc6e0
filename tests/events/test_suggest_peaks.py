from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.events.suggest_peaks import ExpectedTraffic, PeakRules, find_peaks

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAYS = 14


def traffic(peaks=(), step=MINUTE, noise=0.03, explained=()):
    """A daily wave with noise; ``peaks`` are (from minute, to minute, factor)."""
    per_day = timedelta(days=1) // step
    steps = DAYS * per_day
    expected = 100 * (1.5 + np.sin(np.arange(steps) / per_day * 2 * np.pi))
    rates = expected * np.exp(np.random.default_rng(3).normal(0, noise, steps))
    for first, last, factor in peaks:
        rates[first:last] *= factor
    owned = np.zeros(steps, dtype=bool)
    for first, last in explained:
        owned[first:last] = True
    return ExpectedTraffic(START, step, rates, expected, owned)


def minute(day, hour, more=0):
    return day * 1440 + hour * 60 + more


def test_nothing_stands_out_of_noise():
    assert find_peaks(traffic()) == ()


def test_a_steep_peak_is_found_to_the_minute_with_its_size():
    first, last = minute(5, 9), minute(5, 9, 50)
    (peak,) = find_peaks(traffic([(first, last, 3.0)]))
    assert abs(peak.start - (START + first * MINUTE)) <= 2 * MINUTE
    assert abs(peak.end - (START + last * MINUTE)) <= 2 * MINUTE
    assert peak.uplift == pytest.approx(3.0, rel=0.05)
    expected = traffic().expected_rps[first:last].sum() * 60
    assert peak.excess == pytest.approx(2 * expected, rel=0.05)


def test_a_busier_day_is_no_peak():
    assert find_peaks(traffic([(minute(5, 0), minute(7, 0), 2.0)])) == ()


def test_a_short_burst_a_small_rise_and_one_that_brings_few_requests_are_none():
    short = (minute(3, 8), minute(3, 8, 6), 5.0)
    small = (minute(4, 8), minute(4, 9), 1.2)
    assert find_peaks(traffic([short, small])) == ()
    quiet = traffic([(minute(5, 17, 45), minute(5, 18), 1.9)])  # the wave's lowest hour
    assert find_peaks(quiet) == ()
    assert len(find_peaks(quiet, rules=PeakRules(least_excess=MINUTE))) == 1


def test_two_shows_with_a_dip_between_are_two_and_a_short_dip_is_none():
    first, second = (minute(5, 8), minute(5, 9, 30), 3.0), (minute(5, 10), minute(5, 11), 2.5)
    between = (minute(5, 9, 30), minute(5, 10), 1.5)
    found = find_peaks(traffic([first, between, second]))
    assert [one.uplift for one in found] == [pytest.approx(3, rel=0.1), pytest.approx(2.5, rel=0.1)]
    assert found[0].end <= found[1].start
    pause = [(minute(5, 8), minute(5, 8, 45), 3.0), (minute(5, 8, 50), minute(5, 9, 30), 3.0)]
    pause.append((minute(5, 8, 45), minute(5, 8, 50), 2.0))
    assert len(find_peaks(traffic(pause))) == 1


def test_what_a_known_event_answers_for_is_none():
    first, last = minute(5, 9), minute(5, 10)
    assert find_peaks(traffic([(first, last, 3.0)], explained=[(first - 60, last + 90)])) == ()


def test_where_noise_is_usual_more_is_needed():
    peak = (minute(5, 9), minute(5, 10), 1.6)
    calm = traffic([peak])
    (found,) = find_peaks(calm)
    hours = np.random.default_rng(4).normal(0, 0.3, DAYS * 24)
    hours[5 * 24 + 9] = 0.0
    restless = ExpectedTraffic(
        START,
        MINUTE,
        calm.rate_rps * np.exp(np.repeat(hours, 60)),
        calm.expected_rps,
        calm.explained,
    )
    assert not any(abs(one.start - found.start) < 10 * MINUTE for one in find_peaks(restless))


def test_gaps_and_hours_do_not_stop_it():
    hours = traffic([(5 * 24 + 9, 5 * 24 + 11, 3.0)], step=timedelta(hours=1))
    (peak,) = find_peaks(hours)
    assert (peak.start - START) / timedelta(hours=1) == 5 * 24 + 9
    assert peak.duration == timedelta(hours=2)
    holed = traffic([(minute(5, 9), minute(5, 10), 3.0)])
    rates = np.array(holed.rate_rps)
    rates[minute(5, 9, 20) : minute(5, 9, 30)] = np.nan
    rates[minute(8, 0) : minute(9, 0)] = np.nan
    found = find_peaks(ExpectedTraffic(START, MINUTE, rates, holed.expected_rps, holed.explained))
    assert len(found) == 1
    silent = np.full(len(rates), np.nan)
    assert find_peaks(ExpectedTraffic(START, MINUTE, silent, silent, holed.explained)) == ()


def test_a_factor_that_is_no_uplift_is_refused():
    with pytest.raises(ValueError, match=r"least_uplift: a factor above 1.*not 0.9"):
        PeakRules(least_uplift=0.9)
