from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.events import DailyWindow, Event, PublicHolidays

ANY = datetime(2000, 1, 1, tzinfo=UTC)
PATTERN = Event(ANY, ANY + timedelta(hours=1), "prime-time", event_id="prime", uplift=2)
HOUR = timedelta(hours=1)


def window(start: str, end: str, zone: str = "Europe/Paris", **keys: object) -> DailyWindow:
    return DailyWindow(
        time.fromisoformat(start),
        time.fromisoformat(end),
        zone,
        PATTERN,
        **keys,  # type: ignore[arg-type]
    )


def on(rule: DailyWindow, day: str) -> Event:
    """The window that starts on a day."""
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    found = rule.between(noon - 2 * 24 * HOUR, noon + 2 * 24 * HOUR)
    return next(one for one in found if one.event_id == f"prime@{day}")


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "begins", "hours"),
    [
        ("Europe/Paris", "2026-06-11", "20:00", "23:30", "18:00", 3.5),
        ("Europe/Paris", "2026-01-11", "20:00", "23:30", "19:00", 3.5),
        ("Europe/Paris", "2026-06-11", "22:00", "01:00", "20:00", 3),
        ("Europe/Paris", "2026-06-11", "00:00", "00:00", "22:00", 24),
        ("Europe/Paris", "2026-03-28", "22:00", "05:00", "21:00", 6),
        ("Europe/Paris", "2026-10-24", "22:00", "05:00", "20:00", 8),
        ("America/New_York", "2026-03-07", "22:00", "05:00", "03:00", 6),
        ("America/New_York", "2026-10-31", "22:00", "05:00", "02:00", 8),
        ("Europe/Paris", "2026-03-29", "00:00", "00:00", "23:00", 23),
        ("Europe/Paris", "2026-10-25", "00:00", "00:00", "22:00", 25),
        pytest.param("Europe/Paris", "2026-03-29", "02:30", "05:00", "01:30", 1.5, id="skipped"),
        pytest.param(
            "Europe/Paris", "2026-03-29", "01:00", "02:30", "00:00", 1.5, id="end skipped"
        ),
        pytest.param(
            "Europe/Paris", "2026-03-29", "02:15", "02:45", "01:15", 0.5, id="all skipped"
        ),
        pytest.param(
            "Europe/Paris", "2026-03-29", "02:30", "03:00", "01:30", 0.5, id="till it ends"
        ),
        pytest.param("Europe/Paris", "2026-10-25", "02:30", "05:00", "00:30", 3.5, id="twice"),
        pytest.param("Europe/Paris", "2026-10-25", "01:00", "02:30", "23:00", 2.5, id="end twice"),
        ("Asia/Kathmandu", "2026-06-11", "20:00", "21:00", "14:15", 1),
        ("Australia/Lord_Howe", "2026-10-04", "00:00", "05:00", "13:30", 4.5),
    ],
)
def test_a_window_goes_by_the_clock_on_the_wall(
    zone: str, day: str, start: str, end: str, begins: str, hours: float
) -> None:
    event = on(window(start, end, zone), day)
    assert f"{event.start:%H:%M}" == begins
    assert event.duration == hours * HOUR
    assert (event.kind, event.uplift) == ("prime-time", 2)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 200),
    st.integers(0, 23 * 60 + 59),
    st.integers(0, 23 * 60 + 59),
    st.sampled_from(["Europe/Paris", "America/New_York", "UTC", "Pacific/Apia"]),
    st.sets(st.integers(0, 6)),
)
def test_the_windows_between_are_those_that_go_on_then(
    since: datetime, hours: int, start: int, end: int, zone: str, days: set[int]
) -> None:
    until = since + hours * HOUR
    rule = DailyWindow(
        time(*divmod(start, 60)), time(*divmod(end, 60)), zone, PATTERN, tuple(sorted(days))
    )
    found = rule.between(since, until)
    assert all(one.earliest_start < until and one.latest_end > since for one in found)
    assert [one.start for one in found] == sorted(one.start for one in found)
    wide = rule.between(since - 96 * HOUR, until + 96 * HOUR)
    assert [one for one in wide if one.start < until and one.planned_end > since] == list(found)
    place = ZoneInfo(zone)
    if days:
        assert {one.start.astimezone(place).weekday() for one in found} <= days | {
            (day + 1) % 7 for day in days
        }


def test_days_and_dates_bound_the_starts() -> None:
    rule = window("22:00", "02:00", days=(4, 5), first=date(2026, 6, 5), last=date(2026, 6, 12))
    found = rule.between(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    assert [one.event_id for one in found] == [
        "prime@2026-06-05",
        "prime@2026-06-06",
        "prime@2026-06-12",
    ]


def test_a_held_window_of_days_ago_goes_on() -> None:
    pattern = Event(ANY, None, "x", hold=True, ceiling=timedelta(days=5))
    rule = DailyWindow(
        time(20), time(21), "UTC", pattern, first=date(2026, 6, 1), last=date(2026, 6, 1)
    )
    since = datetime(2026, 6, 6, 12, tzinfo=UTC)
    assert len(rule.between(since, since + HOUR)) == 1


def test_a_window_that_may_begin_late_goes_on_after_its_end() -> None:
    pattern = Event(ANY, None, "x", start_uncertainty=12 * HOUR, hold=True, ceiling=48 * HOUR)
    day = date(2026, 6, 1)
    rule = DailyWindow(time(12), time(12), "UTC", pattern, first=day, last=day)
    for clock, there in ((datetime(2026, 6, 3, 23), True), (datetime(2026, 6, 4, 0), False)):
        since = clock.replace(tzinfo=UTC)
        assert bool(rule.between(since, since + HOUR)) is there


def test_a_holiday_that_may_begin_late_goes_on_after_midnight() -> None:
    unsure = PublicHolidays("FR", "UTC", Event(ANY, ANY + HOUR, "x", start_uncertainty=HOUR))
    for clock, there in ((datetime(2026, 7, 15), True), (datetime(2026, 7, 15, 1), False)):
        since = clock.replace(tzinfo=UTC)
        assert bool(unsure.between(since, since + HOUR)) is there


def holidays(country: str = "FR", zone: str = "Europe/Paris", **keys: object) -> PublicHolidays:
    pattern = Event(ANY, ANY + HOUR, "holiday", event_id="fr")
    return PublicHolidays(country, zone, pattern, **keys)  # type: ignore[arg-type]


def test_a_holiday_lasts_from_midnight_to_midnight() -> None:
    year = holidays().between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    by_day = {one.event_id: one for one in year}
    bastille = by_day["fr@2026-07-14"]
    assert bastille.start == datetime(2026, 7, 13, 22, tzinfo=UTC)
    assert bastille.duration == 24 * HOUR
    assert bastille.name
    assert bastille.kind == "holiday"
    assert "fr@2027-01-01" in by_day  # it begins at 23:00 UTC of the old year
    assert "fr@2026-05-01" in by_day


def test_holidays_of_a_part_of_the_country_are_known() -> None:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    bavaria = holidays("DE", "Europe/Berlin", subdivision="BY").between(since, until)
    germany = holidays("DE", "Europe/Berlin").between(since, until)
    assert {one.start for one in germany} < {one.start for one in bavaria}


def test_a_country_or_a_part_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^country: 'XX'"):
        holidays("XX")
    with pytest.raises(ValueError, match=r"^subdivision: DE has no 'TX'; it has "):
        holidays("DE", subdivision="TX")


def test_a_holiday_with_an_uncertain_start_counts_from_its_earliest() -> None:
    pattern = Event(ANY, ANY + HOUR, "holiday", start_uncertainty=2 * HOUR)
    rule = PublicHolidays("FR", "UTC", pattern)
    eve = datetime(2026, 7, 13, 22, 30, tzinfo=UTC)
    assert len(rule.between(eve, eve + HOUR)) == 1
