"""The examples of ``deploy/examples``, as a person would read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecaster.events import Calendar
from forecaster.programme.options import ReadOptions
from forecaster.programme.reading import read_calendar, read_mapping_file

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
DAY = timedelta(days=1)


def read(name: str, mapping: str | None = None, timezone: str | None = None) -> Calendar:
    options = ReadOptions(timezone=timezone)
    if mapping is not None:
        options = ReadOptions(mapping=read_mapping_file(EXAMPLES / mapping))
    found = read_calendar(EXAMPLES / name, options=options)
    assert found.problems == ()
    return found.calendar


def on(calendar: Calendar, day: str) -> list[str]:
    """What goes on on a day: hours in UTC, kind and name."""
    since = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return [
        f"{one.start:%H:%M} {one.planned_end:%H:%M} {one.label()}"
        for one in calendar.between(since + timedelta(hours=6), since + DAY)
    ]


def test_a_calendar_written_by_hand() -> None:
    calendar = read("events.yaml")
    assert on(calendar, "2026-07-10") == [
        '18:45 21:15 prime-time "Prime time"',
        '19:00 20:55 football "Cup, quarter-final"',
        '20:30 23:00 late-film "Weekend late film"',
    ]
    assert on(calendar, "2026-08-14")[-1].endswith('"Weekend late film"')  # no concert: cancelled
    by_id = {one.event_id: one for one in calendar.events}
    final = by_id["cup-2026-final"]
    assert (final.importance, final.floor_replicas, final.hold) == (5, 120, True)
    assert final.start_uncertainty == timedelta(minutes=2)
    assert by_id["great-show-opening"].shape is not None
    assert by_id["tickets-autumn"].uplift == 10
    assert by_id["concert-2026"].duration == timedelta(hours=4)
    assert not calendar.selecting("accounts", "login").between(
        final.start, final.start + timedelta(minutes=1)
    )


def test_the_windows_of_a_calendar_keep_their_hour_in_winter() -> None:
    calendar = read("events.yaml")
    assert on(calendar, "2026-12-09") == ['19:45 22:15 prime-time "Prime time"']


def test_a_match_calendar() -> None:
    calendar = read("matches.csv")
    ids = [one.event_id for one in calendar.events]
    assert ids == ["qf1", "qf2", "sf1", "final", "tt1"]
    assert [one.importance for one in calendar.events] == [4, 4, 4, 5, 2]
    assert calendar.events[-1].end is None


def test_a_series_with_a_week_off_a_moved_final_and_a_cancelled_night() -> None:
    calendar = read("matches.ics")
    assert on(calendar, "2026-10-24") == ['18:50 21:20 live-show "The Great Show"']
    assert on(calendar, "2026-10-31") == []
    assert on(calendar, "2026-11-07") == ['19:50 22:20 live-show "The Great Show"']
    assert on(calendar, "2026-12-12") == []
    assert on(calendar, "2026-12-13") == ['19:15 22:45 live-show "The Great Show, final"']
    assert on(calendar, "2026-12-04") == []
    assert [one.name for one in calendar.events if one.cancelled] == ["Charity night"]
    assert all(one.hold for one in calendar.events if not one.cancelled)


def test_a_programme_guide_with_its_mapping() -> None:
    calendar = read("programme.xmltv", "programme-mapping.yaml")
    assert on(calendar, "2026-07-10") == [
        '18:45 21:20 football "Football: Cup: Rovers v United"',
        '18:50 21:15 live-show "The Great Show"',
        '21:15 23:00 film "Late Film"',
    ]
    match = calendar.events[0]
    assert (match.importance, match.hold) == (4, True)
    assert match.start_uncertainty == timedelta(minutes=5)
    assert read("programme.xmltv").events == ()


@pytest.mark.parametrize(
    ("day", "kinds"),
    [
        ("2026-07-14", ["holiday"]),
        ("2026-10-03", ["holiday-de"]),
        ("2026-08-31", ["holiday-gb"]),
        ("2026-01-06", ["holiday-de"]),  # Bavaria's
        ("2026-12-25", ["holiday", "holiday-de", "holiday-gb"]),
        ("2026-07-15", []),
    ],
)
def test_a_holiday_calendar(day: str, kinds: list[str]) -> None:
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    found = read("holidays.yaml").between(noon, noon + timedelta(hours=1))
    assert sorted(one.kind for one in found) == kinds


def test_the_exporters_manifests() -> None:
    calendar = read("prescaling-manifests.yaml", timezone="Europe/Paris")
    player = calendar.selecting("streaming", "player-api")
    assert [one.floor_replicas for one in player.between(*_minute("2026-07-18T20:00"))] == [12]
    assert [one.floor_replicas for one in player.between(*_minute("2026-07-19T20:00"))] == [12, 36]
    login = calendar.selecting("accounts", "login")
    assert [one.uplift for one in login.between(*_minute("2026-07-19T22:29"))] == [3]
    assert login.between(*_minute("2026-07-19T22:30")) == ()


def _minute(at: str) -> tuple[datetime, datetime]:
    start = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return start, start + timedelta(minutes=1)
