"""Good files of every kind: what is read from them, and what is said about it."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.sample import sample_traffic_path
from tests.traffic.file_rows import rows, table

MARCH = datetime(2024, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def read(folder: Path, content: str | bytes, name: str = "traffic.csv", **options: object):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_traffic(path, ReadOptions(**options))  # type: ignore[arg-type]


def the_only(history: TrafficHistory) -> TrafficSeries:
    assert len(history) == 1
    return history.series[0]


def parquet(frame: pd.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.to_parquet(data)
    return data.getvalue()


# --- CSV ------------------------------------------------------------------------------------------


def test_two_columns_make_one_series_called_like_the_file(tmp_path: Path):
    got = read(tmp_path, table(*rows(10)), "player-api.csv")
    series = the_only(got.history)
    assert (series.series_id, series.start, series.step) == ("player-api", MARCH, MINUTE)
    assert series.rate_rps.tolist() == [10, 11, 12, 13, 14, 15, 16, 10, 11, 12]
    assert got.notices == ()


def test_the_real_trace_reads_like_the_csv_module_reads_it():
    with gzip.open(sample_traffic_path(), "rt") as file:
        counts = {row["timestamp"]: float(row["value"]) for row in csv.DictReader(file)}
    series = the_only(read_traffic(sample_traffic_path(), ReadOptions(unit=Unit.REQUESTS)).history)
    seen = ~np.isnan(series.rate_rps)
    got = pd.Series(series.rate_rps * 60, index=series.times.strftime("%Y-%m-%dT%H:%M:%SZ"))[seen]
    assert len(got) == len(counts) == 74_910
    np.testing.assert_allclose(got.to_numpy(), [counts[stamp] for stamp in got.index], rtol=1e-12)


def test_counts_are_divided_by_the_step(tmp_path: Path):
    got = read(
        tmp_path, table(*rows(5, step_seconds=300, value=lambda i: 600 * i)), unit=Unit.REQUESTS
    )
    assert the_only(got.history).rate_rps.tolist() == [0, 2, 4, 6, 8]
    assert got.unit is Unit.REQUESTS


def test_the_long_form_makes_a_series_for_each_name_in_order_of_appearance(tmp_path: Path):
    lines = [line for b, a in zip(rows(4), rows(4), strict=True) for line in (f"b,{b}", f"a,{a}")]
    got = read(tmp_path, table(*lines, header="series,timestamp,value"))
    assert got.history.ids == ("b", "a")
    assert got.history["a"].rate_rps.tolist() == [10, 11, 12, 13]
    assert got.notices == ()


@pytest.mark.parametrize(
    "header",
    [
        "Timestamp,Value",
        "ds,y",
        "date,requests",
        "TIME,RPS",
        "value,time",
        "when,how much",
        "ts,count",
    ],
)
def test_columns_go_by_their_usual_names_in_any_case(tmp_path: Path, header: str):
    lines = (
        [",".join(reversed(line.split(","))) for line in rows(4)] if header[0] == "v" else rows(4)
    )
    got = read(tmp_path, table(*lines, header=header))
    assert the_only(got.history).rate_rps.tolist() == [10, 11, 12, 13]


def test_a_file_without_a_header_is_read_from_its_first_line_on(tmp_path: Path):
    assert the_only(read(tmp_path, "\n".join(rows(5))).history).rate_rps[0] == 10
    named = read(tmp_path, "\n".join(f"api,{line}" for line in rows(5))).history
    assert (named.ids, len(named["api"])) == (("api",), 5)


@pytest.mark.parametrize(
    ("stamp", "unit_us"),
    [
        pytest.param(lambda s: str(s), 10**6, id="seconds"),
        pytest.param(lambda s: f"{s}.25", 10**6, id="fractions of a second"),
        pytest.param(lambda s: str(s * 1000), 1000, id="milliseconds"),
        pytest.param(lambda s: str(s * 10**6), 1, id="microseconds"),
        pytest.param(lambda s: str(s * 10**9), 1, id="nanoseconds"),
        pytest.param(lambda s: f"{s}e0", 10**6, id="float notation"),
    ],
)
def test_epoch_stamps_are_told_by_their_size(tmp_path: Path, stamp, unit_us: int):
    first = int(MARCH.timestamp())
    got = read(tmp_path, table(*(f"{stamp(first + 60 * i)},{i}" for i in range(5))))
    offset = timedelta(seconds=0.25) if ".25" in stamp(1) else timedelta(0)
    assert the_only(got.history).start == MARCH + offset
    assert got.notices == ()


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda t: t.isoformat(), id="+00:00"),
        pytest.param(lambda t: t.strftime("%Y-%m-%d %H:%M:%S UTC"), id="UTC"),
        pytest.param(lambda t: t.strftime("%Y%m%dT%H%M%SZ"), id="basic form"),
        pytest.param(lambda t: t.astimezone(_zone(5.5)).isoformat(), id="+05:30"),
        pytest.param(lambda t: t.astimezone(_zone(t.minute)).isoformat(), id="offsets that differ"),
        pytest.param(lambda t: t.astimezone(_zone(-3)).strftime("%Y-%m-%d %H:%M %z"), id="-0300"),
        pytest.param(lambda t: t.strftime("%Y-%m-%dt%H:%M:%S.000z"), id="lower case"),
    ],
)
def test_stamps_with_a_zone_become_utc(tmp_path: Path, write):
    got = read(tmp_path, table(*(f"{write(MARCH + i * MINUTE)},{i}" for i in range(5))))
    series = the_only(got.history)
    assert (series.start, series.rate_rps.tolist()) == (MARCH, [0, 1, 2, 3, 4])
    assert got.notices == ()


def _zone(hours: float):
    return datetime.strptime(f"{int(hours):+03d}{int(abs(hours) * 60) % 60:02d}", "%z").tzinfo


def test_stamps_without_a_zone_are_utc_with_a_notice(tmp_path: Path):
    got = read(tmp_path, table(*rows(5, zone="")))
    assert the_only(got.history).start == MARCH
    assert got.notices == ("stamps have no time zone: read as UTC (if they are local: --timezone)",)


@pytest.mark.parametrize("blank", ["", "NaN", "null", "undefined", " ", '""', "N/A"])
def test_a_blank_value_is_a_gap(tmp_path: Path, blank: str):
    lines = rows(6)
    lines[3] = lines[3].split(",")[0] + "," + blank
    got = the_only(read(tmp_path, table(*lines)).history)
    np.testing.assert_array_equal(got.rate_rps, [10, 11, 12, np.nan, 14, 15])


def test_a_series_begins_and_ends_with_a_value(tmp_path: Path):
    lines = rows(8, value=lambda i: i if 2 <= i < 6 else "")
    series = the_only(read(tmp_path, table(*lines)).history)
    assert (series.start, series.rate_rps.tolist()) == (MARCH + 2 * MINUTE, [2, 3, 4, 5])


def test_absent_rows_are_gaps_and_nothing_is_said_about_them(tmp_path: Path):
    lines = rows(10)
    got = read(tmp_path, table(*lines[:3], *lines[7:]))
    assert np.isnan(the_only(got.history).rate_rps[3:7]).all()
    assert got.notices == ()


def test_blank_cells_in_every_other_row_do_not_double_the_step(tmp_path: Path):
    lines = rows(40, value=lambda i: "" if i % 3 else 5 + i)
    lines[4] = lines[4].rstrip(",") + ",7"
    got = read(tmp_path, table(*lines), step=MINUTE)
    assert the_only(got.history).step == MINUTE


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param("\r\n", id="CRLF"),
        pytest.param("\r", id="CR"),
        pytest.param("\n\n", id="blank"),
    ],
)
def test_line_ends_and_blank_lines_do_not_matter(tmp_path: Path, ending: str):
    got = read(tmp_path, table(*rows(5)).replace("\n", ending))
    assert len(the_only(got.history)) == 5


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ,", ", "])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str):
    got = read(tmp_path, table(*rows(5)).replace(",", delimiter))
    assert the_only(got.history).rate_rps.tolist() == [10, 11, 12, 13, 14]


def test_gzip_is_told_from_the_content_not_from_the_name(tmp_path: Path):
    plain = table(*rows(5))
    assert len(read(tmp_path, gzip.compress(plain.encode()), "a.csv").history) == 1
    assert len(read(tmp_path, plain, "a.csv.gz").history) == 1


def test_the_row_numbers_that_pandas_writes_are_no_series(tmp_path: Path):
    frame = pd.DataFrame(
        {"timestamp": pd.date_range(MARCH, periods=5, freq="min"), "value": range(5)}
    )
    assert read(tmp_path, frame.to_csv(), "api.csv").history.ids == ("api",)
    unnamed = frame.set_index("timestamp").rename_axis(None).rename(columns={"value": "checkout"})
    assert read(tmp_path, unnamed.to_csv(), "api.csv").history.ids == ("checkout",)


def test_a_comment_column_is_left_out_with_a_notice(tmp_path: Path):
    lines = [f"api,{line},all fine" for line in rows(5)]
    got = read(tmp_path, table(*lines, header="series,timestamp,value,note"))
    assert got.history.ids == ("api",)
    assert got.notices == ("column 'note' was not read",)


def test_a_second_column_of_stamps_is_left_out_with_a_notice(tmp_path: Path):
    lines = [f"2024-03-01,{line}" for line in rows(5)]
    got = read(tmp_path, table(*lines, header="date,timestamp,value"))
    assert got.notices == ("column 'date' was not read",)
    assert the_only(got.history).step == MINUTE


def test_several_columns_of_numbers_are_a_series_each(tmp_path: Path):
    lines = [f"{line},{index}" for index, line in enumerate(rows(5))]
    got = read(tmp_path, table(*lines, header="timestamp,requests,errors"))
    assert got.history.ids == ("requests", "errors")
    assert got.notices == ("the columns 'requests', 'errors' were read as a series each",)


# --- order, jitter, steps -------------------------------------------------------------------------


def test_rows_out_of_order_are_sorted_with_a_notice(tmp_path: Path):
    lines = rows(8)
    lines[3], lines[4] = lines[4], lines[3]
    got = read(tmp_path, table(*lines))
    assert the_only(got.history).rate_rps.tolist() == [10, 11, 12, 13, 14, 15, 16, 10]
    assert got.notices == ("1 row was out of order (first at line 6): sorted",)


def test_rows_that_stand_twice_are_dropped_with_a_notice(tmp_path: Path):
    lines = rows(5)
    got = read(tmp_path, table(*lines[:3], lines[2], *lines[3:]))
    assert got.notices == ("1 row was there twice (first at line 5): dropped",)


def test_jitter_under_half_a_step_is_snapped_with_a_notice(tmp_path: Path):
    lines = rows(8)
    lines[2] = "2024-03-01T00:02:07.5Z,12"
    lines[5] = "2024-03-01T00:04:48Z,15"
    got = read(tmp_path, table(*lines))
    series = the_only(got.history)
    assert (series.start, len(series)) == (MARCH, 8)
    assert got.notices == ("2 stamps were up to 12 s off the grid of 1m: snapped",)


def test_a_finer_step_that_is_asked_for_makes_gaps(tmp_path: Path):
    series = the_only(read(tmp_path, table(*rows(4, step_seconds=300)), step=MINUTE).history)
    assert (series.step, len(series)) == (MINUTE, 16)
    assert series.rate_rps[[0, 5, 10, 15]].tolist() == [10, 11, 12, 13]


def test_a_step_that_is_asked_for_may_be_finer_than_irregular_rows_tell(tmp_path: Path):
    lines = [line for index, line in enumerate(rows(6)) if index in (0, 3, 5)]
    series = the_only(read(tmp_path, table(*lines), step=MINUTE).history)
    assert np.flatnonzero(~np.isnan(series.rate_rps)).tolist() == [0, 3, 5]


def test_a_short_series_among_longer_ones_is_left_out_with_a_notice(tmp_path: Path):
    lines = [f"a,{line}" for line in rows(9)] + [f"b,{line}" for line in rows(2)]
    got = read(tmp_path, table(*lines, header="series,timestamp,value"))
    assert got.history.ids == ("a",)
    assert got.notices == ("1 of 2 series left out for having fewer than 3 values: b",)


def test_a_step_must_be_positive():
    with pytest.raises(ValueError, match="for example 1m"):
        ReadOptions(step=timedelta(0))


# --- Parquet --------------------------------------------------------------------------------------


def minutes(count: int, zone: str | None = "UTC") -> pd.DatetimeIndex:
    return pd.date_range("2024-03-01", periods=count, freq="min", tz=zone)


@pytest.mark.parametrize(
    ("frame", "ids"),
    [
        pytest.param(
            pd.DataFrame({"timestamp": minutes(6), "value": range(6)}),
            ("traffic",),
            id="two columns",
        ),
        pytest.param(pd.DataFrame({"value": range(6)}, index=minutes(6)), ("traffic",), id="index"),
        pytest.param(
            pd.DataFrame(
                {
                    "unique_id": pd.Categorical(["a"] * 6 + ["b"] * 6),
                    "ds": [*minutes(6), *minutes(6)],
                    "y": [*range(6), *range(6)],
                }
            ),
            ("a", "b"),
            id="long",
        ),
        pytest.param(
            pd.DataFrame(
                {"a": np.arange(6.0), "b": np.arange(6.0)}, index=minutes(6).rename("time")
            ),
            ("a", "b"),
            id="wide",
        ),
        pytest.param(
            pd.DataFrame({"ts": minutes(6).as_unit("s").asi8, "value": range(6)}),
            ("traffic",),
            id="epoch",
        ),
        pytest.param(
            pd.DataFrame({"ts": minutes(6).strftime("%Y-%m-%dT%H:%M:%SZ"), "value": range(6)}),
            ("traffic",),
            id="texts",
        ),
        pytest.param(
            pd.DataFrame({"ts": minutes(6).tz_convert("Asia/Tokyo"), "value": range(6)}),
            ("traffic",),
            id="another zone",
        ),
    ],
)
def test_parquet_tables_read_like_csv(tmp_path: Path, frame: pd.DataFrame, ids: tuple[str, ...]):
    got = read(tmp_path, parquet(frame), "traffic.parquet")
    assert got.history.ids == ids
    assert {series.start for series in got.history} == {MARCH}
    assert all(series.rate_rps.tolist() == [0, 1, 2, 3, 4, 5] for series in got.history)
    assert got.notices == ()


def test_parquet_is_told_from_the_content_and_nulls_are_gaps(tmp_path: Path):
    frame = pd.DataFrame(
        {"ts": minutes(4, None), "value": pd.array([1, None, 3, 4], dtype="Int64")}
    )
    got = read(tmp_path, parquet(frame), "table.bin", timezone="Asia/Tokyo")
    np.testing.assert_array_equal(the_only(got.history).rate_rps, [1, np.nan, 3, 4])
    assert the_only(got.history).start == MARCH - timedelta(hours=9)


# --- other real traces, where a folder of them is at hand -----------------------------------------

TRACES = Path(os.environ.get("PREROLL_TRACES", "nowhere"))
STEPS = {"1min": 60, "5min": 300, "15min": 900, "30min": 1800, "1h": 3600, "10s": 10, "1D": 86_400}


@pytest.mark.slow
@pytest.mark.skipif(not (TRACES / "README.md").exists(), reason="PREROLL_TRACES names no folder")
def test_every_real_trace_is_read_as_its_table_says():
    table_row = re.compile(r"\| (\S+\.csv\.gz) \| (\d+) \| (\S+) \| (\S+) \.\. (\S+) \|")
    told = table_row.findall((TRACES / "README.md").read_text())
    assert told
    for name, count, step, first, last in told:
        got = read_traffic(TRACES / name, ReadOptions(unit=Unit.REQUESTS))
        series = got.history.series
        assert got.notices == (), name
        assert got.history.step.total_seconds() == STEPS[step], name
        assert sum(int((~np.isnan(one.rate_rps)).sum()) for one in series) == int(count), name
        assert min(one.start for one in series).isoformat()[:16] == first, name
        assert max(one.end - one.step for one in series).isoformat()[:16] == last, name
