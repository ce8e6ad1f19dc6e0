"""How long to wait before another attempt."""

from __future__ import annotations

import pytest

from forecaster.traffic.prometheus.retry import back_off_seconds, retry_after_seconds

NOON = "Wed, 10 Jun 1998 12:00:00 GMT"


def test_waits_double_up_to_half_a_minute():
    waits = [back_off_seconds(attempt, jitter=0.0) for attempt in range(1, 10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.999])
def test_jitter_takes_up_to_half_of_the_wait_away(jitter):
    assert 0.5 <= back_off_seconds(2, jitter) <= 1.0
    assert back_off_seconds(2, jitter) == 1.0 - 0.5 * jitter


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        pytest.param("7", None, 7.0, id="seconds"),
        pytest.param(" 0 ", None, 0.0, id="at once"),
        pytest.param("Wed, 10 Jun 1998 12:01:30 GMT", NOON, 90.0, id="date"),
        pytest.param("Wed, 10 Jun 1998 11:00:00 GMT", NOON, 0.0, id="date that has passed"),
        pytest.param("Wed, 10 Jun 1998 12:01:30 GMT", "", 0.0, id="date of 1998, clock of today"),
        pytest.param("soon", NOON, None, id="words"),
        pytest.param("-5", NOON, None, id="negative"),
        pytest.param("", NOON, None, id="empty"),
        pytest.param(None, NOON, None, id="absent"),
    ],
)
def test_retry_after_is_seconds_or_a_date_against_the_servers_own(retry_after, date, seconds):
    assert retry_after_seconds(retry_after, date) == seconds
