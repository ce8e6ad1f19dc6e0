"""Stamps of a wall clock: zones, the hour that stands twice, the hour that never was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from forecaster.errors import TrafficFileError
from forecaster.traffic.files import ReadOptions, TrafficFile, read_traffic
from tests.traffic.file_rows import rows, table

EVENING = datetime(2024, 10, 26, 20, tzinfo=UTC)  # in Paris clocks go back at 01:00 UTC


def value_of(index: int) -> int:
    return index * 7 % 31


def wall_rows(
    zone: str, count: int, step_minutes: int = 30, start: datetime = EVENING
) -> list[str]:
    """Rows as a clock of ``zone`` stamps them, without saying which zone that is."""
    at = (start + timedelta(minutes=step_minutes * index) for index in range(count))
    return [
        f"{instant.astimezone(ZoneInfo(zone)).strftime('%Y-%m-%d %H:%M:%S')},{value_of(index)}"
        for index, instant in enumerate(at)
    ]


def read(
    folder: Path, lines: list[str], timezone: str | None, header: str = "t,value"
) -> TrafficFile:
    path = folder / "traffic.csv"
    path.write_text(table(*lines, header=header))
    return read_traffic(path, ReadOptions(timezone=timezone))


def assert_read_in_order(got: TrafficFile, count: int) -> None:
    for series in got.history:
        assert series.start == EVENING
        assert series.rate_rps.tolist() == [value_of(index) for index in range(count)]


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        pytest.param("Europe/Paris", EVENING, id="Paris"),
        pytest.param("America/New_York", datetime(2024, 11, 3, 1, tzinfo=UTC), id="New York"),
        pytest.param(
            "Australia/Lord_Howe", datetime(2024, 4, 6, 10, tzinfo=UTC), id="half an hour"
        ),
        pytest.param("Asia/Beirut", datetime(2024, 10, 26, 15, tzinfo=UTC), id="over midnight"),
        pytest.param("Asia/Kolkata", EVENING, id="no summer time"),
    ],
)
@pytest.mark.parametrize("step_minutes", [1, 5, 30])
def test_every_zone_comes_back_in_utc_over_the_night_of_the_change(
    tmp_path: Path, zone: str, start: datetime, step_minutes: int
):
    count = 20 * 60 // step_minutes
    got = read(tmp_path, wall_rows(zone, count, step_minutes, start), zone)
    series = got.history.series[0]
    assert (series.start, len(series)) == (start, count)
    assert series.rate_rps.tolist() == [value_of(index) for index in range(count)]
    assert got.notices == ()


def test_newest_first_is_understood_too(tmp_path: Path):
    got = read(tmp_path, wall_rows("Europe/Paris", 20)[::-1], "Europe/Paris")
    assert_read_in_order(got, 20)


def test_each_series_has_its_own_repeated_hour(tmp_path: Path):
    lines = [f"{name},{line}" for line in wall_rows("Europe/Paris", 20) for name in ("a", "b")]
    got = read(tmp_path, lines, "Europe/Paris", "series,t,value")
    assert got.history.ids == ("a", "b")
    assert_read_in_order(got, 20)


def test_a_missing_row_in_the_repeated_hour_does_not_confuse_the_two(tmp_path: Path):
    lines = wall_rows("Europe/Paris", 120, 5)
    del lines[52]
    series = read(tmp_path, lines, "Europe/Paris").history.series[0]
    wrong = [index for index, rate in enumerate(series.rate_rps) if rate != value_of(index)]
    assert wrong == [52]


def test_rows_sorted_by_their_text_are_told_apart_by_standing_twice(tmp_path: Path):
    lines = sorted(wall_rows("Europe/Paris", 20), key=lambda line: line.split(",")[0])
    assert_read_in_order(read(tmp_path, lines, "Europe/Paris"), 20)


def test_a_repeated_hour_that_stands_once_is_refused_with_a_remedy(tmp_path: Path):
    lines = wall_rows("Europe/Paris", 20)
    del lines[10:12]
    with pytest.raises(TrafficFileError) as caught:
        read(tmp_path, lines, "Europe/Paris")
    message = str(caught.value)
    assert "2024-10-27 02:00:00 happened twice in Europe/Paris that night" in message
    assert "Export the file with stamps in UTC" in message
    assert caught.value.line == 10


def test_without_a_zone_a_repeated_hour_suggests_to_name_it(tmp_path: Path):
    with pytest.raises(TrafficFileError) as caught:
        read(tmp_path, wall_rows("Europe/Paris", 20), None)
    message = str(caught.value)
    assert "2024-10-27T02:00:00Z stands twice with different values, 8 here and 25" in message
    assert "looks like the hour that stands twice when clocks are put back" in message
    assert "--timezone Europe/Paris" in message
    assert "(compare line 10)" in message
    assert caught.value.line == 12


def test_a_row_that_stands_twice_by_day_does_not_suggest_a_zone(tmp_path: Path):
    lines = rows(30, "2024-10-27T14:00:00", zone="")
    with pytest.raises(TrafficFileError, match="stands twice") as caught:
        read(tmp_path, [*lines, f"{lines[4]}9"], None)
    assert "--timezone" not in str(caught.value)


def test_an_hour_that_never_was_is_refused_with_its_line(tmp_path: Path):
    with pytest.raises(TrafficFileError) as caught:
        read(tmp_path, rows(12, "2024-03-31T00:00:00", 1800, zone=""), "Europe/Paris")
    assert "2024-03-31 02:00:00 never was on a clock in Europe/Paris" in str(caught.value)
    assert caught.value.line == 6


def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path):
    for name in ("Mars/Base", "", "../etc/passwd", "Europe"):
        with pytest.raises(TrafficFileError, match="no time zone; write one like Europe/Paris"):
            read(tmp_path, rows(5, zone=""), name)


def test_a_zone_that_is_not_needed_is_said_so(tmp_path: Path):
    got = read(tmp_path, rows(5), "Europe/Paris")
    assert got.history.series[0].start == datetime(2024, 3, 1, tzinfo=UTC)
    assert got.notices == ("stamps carry their own time zone; Europe/Paris was not needed",)


def test_days_of_local_midnights_are_one_step_of_a_day(tmp_path: Path):
    midnights = rows(60, "2024-03-10T00:00:00", 86_400, zone="")
    got = read(tmp_path, midnights, "Europe/Paris")
    series = got.history.series[0]
    assert (series.step, len(series)) == (timedelta(days=1), 60)
    assert series.start == datetime(2024, 3, 9, 22, tzinfo=UTC)  # midnight of most of these days
    assert got.notices == ("22 stamps were up to 3600 s off the grid of 1d: snapped",)
