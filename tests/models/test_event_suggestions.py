"""Against the tournament: matches that nobody told of, and a peak that was put in."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.events import DailyWindow, Event
from forecaster.events.suggest_peaks import PeakRules
from forecaster.models.event_suggestions import find_events
from forecaster.programme.reading import read_calendar
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_matches, sample_matches_path

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture(scope="module")
def matches():
    return read_calendar(sample_matches_path()).calendar


@pytest.fixture(scope="module")
def withheld(tournament):
    return find_events(tournament)


def windows(found):
    end = found.traffic.at(len(found.traffic.rate_rps))
    for one in found.suggestions:
        own = (
            [one.entry]
            if isinstance(one.entry, Event)
            else one.entry.between(found.traffic.start, end)
        )
        yield from ((event.start, event.end) for event in own)


def test_matches_that_were_withheld_are_found_by_their_kick_off(withheld):
    spans = list(windows(withheld))
    workdays = [
        one
        for one in sample_matches()
        if one.start < withheld.traffic.at(len(withheld.traffic.rate_rps))
        and one.start.weekday() < 5
    ]
    assert len(workdays) == 18
    hits = [m for m in workdays if any(abs(s - m.start) <= HALF_AN_HOUR for s, _ in spans)]
    assert len(hits) >= 15
    hour = timedelta(hours=1)
    strangers = [
        (s, e)
        for s, e in spans
        if not any(s < m.end + hour and e > m.start - hour for m in sample_matches())
    ]
    assert len(strangers) <= 3
    excess = [one.excess for one in withheld.suggestions]
    assert excess == sorted(excess, reverse=True)


def test_with_the_calendar_next_to_nothing_is_left(tournament, matches, withheld):
    left = find_events(tournament, matches)
    assert len(left.suggestions) <= 5
    assert sum(one.excess for one in left.suggestions) < 0.02 * sum(
        one.excess for one in withheld.suggestions
    )
    for start, end in windows(left):
        assert not any(start < m.end and end > m.start for m in sample_matches())


def test_a_weekly_peak_in_quiet_hours_is_one_rule(tournament, matches):
    local = tournament.times.tz_convert("Europe/Paris")
    at = local.hour * 60 + local.minute - (4 * 60 + 30)
    there = (local.weekday == 6) & (at >= 0) & (at < 40)
    rates = np.where(there, 3.0, 1.0) * tournament.rate_rps
    series = TrafficSeries(tournament.series_id, tournament.start, tournament.step, rates)
    told = []
    found = find_events(series, matches, "Europe/Paris", progress=lambda *part: told.append(part))
    rules = [one for one in found.suggestions if isinstance(one.entry, DailyWindow)]
    (rule,) = rules
    assert rule.kind == "weekly-sunday-04h30"
    assert (str(rule.entry.start), str(rule.entry.end)) == ("04:30:00", "05:10:00")
    assert rule.uplift == pytest.approx(3.0, rel=0.2)
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_more_is_asked_of_a_peak_with_a_higher_least_uplift(tournament, withheld):
    large = find_events(tournament, rules=PeakRules(least_uplift=2.5))
    assert 0 < len(large.suggestions) < len(withheld.suggestions)
    assert all(one.uplift >= 2.5 for one in large.suggestions)
