from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.events import EMPTY_CALENDAR, Calendar, Event
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.event_training import train_with_events
from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.programme.reading import read_calendar
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history, sample_matches_path

STEP = timedelta(minutes=5)
START = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = OutlookConfig((0.1, 0.5, 0.9), timedelta(days=1), zoo=False)


def evenings(days, match_days, factor=3.0):
    """A daily wave with noise; × factor from 19:00 to 20:45 on some days."""
    rng = np.random.default_rng(5)
    minutes = np.arange(days * 288) * 5
    wave = 100 * (1.5 + np.sin((minutes % 1440) / 1440 * 2 * np.pi - 2.0))
    rates = wave * np.exp(rng.normal(0, 0.03, len(wave)))
    events = []
    for day in match_days:
        at = START + timedelta(days=day, hours=19)
        events.append(Event(at, at + timedelta(minutes=105), "football"))
        first = day * 288 + 19 * 12
        rates[first : first + 21] *= factor
    return TrafficSeries("a/b", START, STEP, rates), Calendar(tuple(events)), wave


def test_without_events_it_is_the_plain_outlook():
    series, _, _ = evenings(20, [])
    plain = train_outlook(series, series.end, CONFIG)
    trained = train_with_events(series, series.end, CONFIG, EMPTY_CALENDAR)
    np.testing.assert_array_equal(trained.outlook.rate_rps, plain.outlook.rate_rps)
    np.testing.assert_array_equal(trained.path_then.rate_rps, trained.path.rate_rps)
    lifted = outlook_with_events(trained.outlook, trained.uplift, trained.calendar)
    assert lifted is trained.outlook


def test_a_week_of_finals_does_not_haunt_the_next_evening():
    series, calendar, wave = evenings(28, [21, 22, 23, 24, 25, 26, 27], factor=6.0)
    evening = slice(19 * 12, 19 * 12 + 21)
    expected = wave[evening]
    plain = train_outlook(series, series.end, CONFIG).outlook.at(0.5)
    assert np.median(plain[evening] / expected) > 2  # it takes them for the new evenings
    free = train_with_events(series, series.end, CONFIG, calendar).outlook.at(0.5)
    # What shrinking leaves of them stays in the outlook, and is not in the uplift.
    assert np.abs(free[evening] / expected - 1).max() < 0.25


@pytest.mark.parametrize("on", [True, False])
def test_the_next_match_is_lifted_and_a_day_without_is_not(on):
    series, calendar, wave = evenings(28, [10, 13, 17, 20, 24, 27])
    at = series.end + timedelta(hours=19)
    coming = (Event(at, at + timedelta(minutes=105), "football"),) if on else ()
    calendar = Calendar((*calendar.events, *coming))
    trained = train_with_events(series, series.end, CONFIG, calendar)
    lifted = outlook_with_events(trained.outlook, trained.uplift, trained.calendar).at(0.5)
    during = lifted[19 * 12 + 3 : 19 * 12 + 18] / wave[19 * 12 + 3 : 19 * 12 + 18]
    assert np.median(during) == pytest.approx(3.0 if on else 1.0, rel=0.15)


def test_the_path_of_the_past_knew_only_what_was_over():
    series, calendar, _ = evenings(28, [21, 23, 25])  # all of them workdays
    trained = train_with_events(series, series.end, CONFIG, calendar)
    then, free = trained.path_then, trained.path

    def factor(day):
        first = START + timedelta(days=day, hours=19, minutes=15)
        return then.between(first, 15) / free.between(first, 15)

    assert factor(21) == pytest.approx(1.0)  # the first of its kind
    assert (factor(23) > 1.5).all()
    assert np.median(factor(25)) > np.median(factor(23))


def test_a_kind_that_is_always_on_is_ordinary_traffic():
    series, _, _ = evenings(20, [])
    hours = [START + timedelta(hours=hour) for hour in range(20 * 24)]
    always = Calendar(tuple(Event(at, at + timedelta(hours=1), "news") for at in hours))
    trained = train_with_events(series, series.end, CONFIG, always)
    assert trained.uplift.examples == ()
    assert trained.uplift.ordinary == {"news"}
    plain = train_outlook(series, series.end, CONFIG).outlook
    np.testing.assert_array_equal(trained.outlook.rate_rps, plain.rate_rps)


def test_a_declared_uplift_of_a_kind_that_is_always_on_lifts_nothing():
    series, _, _ = evenings(20, [])
    hours = [START + timedelta(hours=hour) for hour in range(22 * 24)]
    always = Calendar(tuple(Event(at, at + timedelta(hours=1), "news", uplift=3) for at in hours))
    trained = train_with_events(series, series.end, CONFIG, always)
    for calendar in (trained.calendar, always):
        assert outlook_with_events(trained.outlook, trained.uplift, calendar) is trained.outlook


@pytest.mark.slow
def test_the_tournament_is_foretold_better_with_its_calendar():
    """Match windows of six days; the bundled trace, each day from what was known at its start."""
    whole = next(iter(sample_history()))
    count = len(whole) // 5
    rates = np.nanmean(whole.rate_rps[: count * 5].reshape(count, 5), axis=1)
    series = TrafficSeries("a/b", whole.start, STEP, rates)
    calendar = read_calendar(sample_matches_path()).calendar
    config = OutlookConfig((0.5, 0.9), timedelta(days=1))
    wrong, plain_wrong, covered = 0.0, 0.0, []
    for back in range(6, 0, -1):
        cutoff = series.end - timedelta(days=back)
        first = series.index_of(cutoff)
        actual = series.rate_rps[first : first + 288]
        trained = train_with_events(series.before(cutoff), cutoff, config, calendar)
        lifted = outlook_with_events(trained.outlook, trained.uplift, trained.calendar)
        plain = train_outlook(series.before(cutoff), cutoff, config).outlook
        times = cutoff.timestamp() + 300 * np.arange(288)
        window = np.zeros(288, dtype=bool)
        for one in calendar.between(cutoff - timedelta(hours=4), cutoff + timedelta(hours=25)):
            at = one.start.timestamp()
            window |= (times >= at - 1800) & (times < at + 10_800)
        wrong += np.abs(lifted.at(0.5) - actual)[window].sum()
        plain_wrong += np.abs(plain.at(0.5) - actual)[window].sum()
        covered.append((actual <= lifted.at(0.9))[window])
    assert wrong < 0.9 * plain_wrong
    assert np.concatenate(covered).mean() >= 0.8
