from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from forecaster.cli.chart import column_chart, compact_number, per_column, time_axis

START = datetime(2026, 3, 28, 10, 30, tzinfo=UTC)


def lines(chart):
    return [line.plain for line in chart]


def test_a_column_is_as_high_as_its_value():
    chart = lines(column_chart(np.array([0.0, 1.0, 2.0, 4.0]), 4, colour="blue"))
    assert chart == [
        "      4    █",
        "           █",
        "          ██",
        "      0  ███",
    ]


def test_parts_of_a_row_are_eighths():
    top, bottom = lines(column_chart(np.array([4.0, 3.0, 0.25]), 2, colour="blue"))
    assert top.endswith("█▄ ")
    assert bottom.endswith("██▁")


def test_what_lies_above_is_a_shade():
    chart = lines(column_chart(np.array([1.0]), 4, colour="blue", above=np.array([3.0])))
    assert [line[-1] for line in chart] == ["░", "░", "▃", "█"]


@pytest.mark.parametrize("rate", [0.0, 1e-19], ids=["zero", "the rounding of a model"])
def test_no_traffic_at_all_is_an_empty_chart(rate):
    assert lines(column_chart(np.full(3, rate), 2, colour="blue")) == ["      1    ", "      0    "]


@pytest.mark.parametrize(
    ("peak", "expected"), [(True, [2.0, 9.0]), (False, [1.5, 6.0])], ids=["peak", "mean"]
)
def test_steps_are_put_together_to_columns(peak, expected):
    assert per_column(np.array([1.0, 2.0, 3.0, 9.0]), 2, peak=peak).tolist() == expected


def test_there_are_no_more_columns_than_steps():
    assert len(per_column(np.ones(3), 48, peak=True)) == 3


def test_the_axis_has_a_tick_every_six_hours_and_the_day_where_it_begins():
    clock, days = lines(time_axis(START, timedelta(hours=48), 48, ZoneInfo("UTC")))
    assert clock.split() == ["12:00", "18:00", "00:00", "06:00", "12:00", "18:00", "00:00", "06:00"]
    assert clock.index("12:00") == 8 + 1  # in the column of 11:30 to 12:30
    assert days.index("Sun 29 Mar") == clock.index("00:00")


def test_ticks_follow_the_clock_of_the_zone_through_a_change_of_it():
    clock, days = lines(time_axis(START, timedelta(hours=48), 96, ZoneInfo("Europe/Paris")))
    assert clock.split()[:4] == ["12:00", "18:00", "00:00", "06:00"]
    # Clocks go forward in the night to Sunday: five hours from midnight to six.
    assert clock.index("06:00") - clock.index("00:00") == 10  # columns of half an hour
    assert "Mon 30 Mar" in days


def test_a_label_without_room_is_left_out():
    clock, _ = lines(time_axis(START, timedelta(hours=48), 24, ZoneInfo("UTC")))
    assert clock.split() == ["12:00", "00:00", "12:00", "00:00"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00139, "0.00139"),
        (1.234e-5, "1.2e-05"),
        (7.5, "7.5"),
        (34, "34"),
        (999.7, "1k"),
        (1234, "1.23k"),
        (25_000, "25k"),
        (999_999, "1M"),
        (3.1e6, "3.1M"),
    ],
)
def test_numbers_are_short(value, text):
    assert compact_number(value) == text


def test_ticks_may_be_closer_and_stand_at_round_minutes():
    start = datetime(2026, 6, 14, 17, 50, tzinfo=UTC)
    clock, days = lines(
        time_axis(start, timedelta(hours=1), 60, ZoneInfo("Asia/Kolkata"), timedelta(minutes=15))
    )
    assert clock.split() == ["23:30", "23:45", "00:00", "00:15"]
    assert clock.index("23:30") == 8 + 10
    assert days.split("Mon")[0].strip() == "Sun 14 Jun"
    assert days.index("Mon 15 Jun") == clock.index("00:00")
