from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import typer

from forecaster.cli.local_instant import read_local_instant

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-06-14 20:00", datetime(2026, 6, 14, 18)),
        ("2026-01-14 20:00", datetime(2026, 1, 14, 19)),
        (" 2026-06-14T20:00:30 ", datetime(2026, 6, 14, 18, 0, 30)),
        ("2026-06-14", datetime(2026, 6, 13, 22)),
        ("2026-06-14T20:00:00Z", datetime(2026, 6, 14, 20)),
        ("2026-06-14 20:00-05:00", datetime(2026, 6, 15, 1)),
        ("2026-03-29 01:59", datetime(2026, 3, 29, 0, 59)),
        ("2026-03-29 03:00", datetime(2026, 3, 29, 1)),
        ("2026-10-25 01:59", datetime(2026, 10, 24, 23, 59)),
        ("2026-10-25 03:00", datetime(2026, 10, 25, 2)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30)),
    ],
)
def test_the_clock_is_that_of_the_zone_unless_an_offset_is_written(text, utc):
    assert read_local_instant(text, PARIS) == utc.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["last night", "20:00", "2026-13-01 20:00", "", "0001-01-01 00:00"]
)
def test_other_text_is_refused_with_two_examples_and_the_zone(text):
    with pytest.raises(typer.BadParameter) as refused:
        read_local_instant(text, PARIS)
    assert repr(text) in refused.value.message
    assert "'2026-06-14 20:00', which is read in Europe/Paris" in refused.value.message
    assert "2026-06-14T18:00:00Z" in refused.value.message


def test_an_instant_that_no_clock_shows_is_refused_with_those_around_it():
    with pytest.raises(typer.BadParameter) as refused:
        read_local_instant("2026-03-29 02:30", PARIS)
    assert "does not exist in Europe/Paris: clocks go forward" in refused.value.message
    assert refused.value.message.endswith("write '2026-03-29 01:30' or '2026-03-29 03:30'")


def test_an_instant_that_the_clock_shows_twice_is_refused_with_both():
    with pytest.raises(typer.BadParameter) as refused:
        read_local_instant("2026-10-25 02:30", PARIS, "--from")
    assert "happens twice in Europe/Paris: clocks go back" in refused.value.message
    first, second = refused.value.message.split("write ")[1].split(" or ")
    assert [read_local_instant(one, PARIS).hour for one in (first, second)] == [0, 1]
    assert refused.value.param_hint == "--from"
