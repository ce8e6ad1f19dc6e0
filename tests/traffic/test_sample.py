from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.traffic.sample import (
    SampleMatch,
    sample_history,
    sample_matches,
    sample_matches_path,
    sample_traffic_path,
)


def test_the_sample_is_the_whole_bundled_log_in_requests_per_second():
    history = sample_history()
    series = history["streaming/player-api"]
    assert series.start == datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
    assert series.end == datetime(1998, 6, 21, 22, 0, tzinfo=UTC)
    assert series.step == timedelta(minutes=1)
    assert int((~np.isnan(series.rate_rps)).sum()) == 74_910
    assert series.rate_rps[0] * 60 == 2


def test_the_sample_can_be_called_otherwise():
    assert sample_history("shop/checkout").ids == ("shop/checkout",)


def test_the_calendar_has_64_matches_in_order_with_utc_times():
    matches = sample_matches()
    assert len(matches) == 64
    assert matches[0] == SampleMatch(
        datetime(1998, 6, 10, 15, 30, tzinfo=UTC),
        datetime(1998, 6, 10, 17, 25, tzinfo=UTC),
        "Brazil v Scotland",
        "football",
        4,
    )
    assert [match.start for match in matches] == sorted(match.start for match in matches)
    assert {match.importance for match in matches} <= {2, 3, 4, 5}
    assert all(match.start < match.end for match in matches)


def test_the_files_are_where_they_are_said_to_be():
    assert sample_traffic_path().name == "worldcup98-groupstage-1min.csv.gz"
    assert sample_traffic_path().is_file()
    assert sample_matches_path().is_file()


def test_traffic_is_high_during_the_matches_of_the_group_stage():
    series = sample_history().series[0]
    during = [
        series.rate_rps[series.index_of(match.start) : series.index_of(match.end)]
        for match in sample_matches()
        if match.end < series.end
    ]
    assert np.nanmedian(np.concatenate(during)) > 3 * np.nanmedian(series.rate_rps)
