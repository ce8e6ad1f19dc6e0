"""Files that are refused: the message, the line and a valid example, one by one."""

from __future__ import annotations

import gzip
import io
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import HistoryTooShort, TrafficError, TrafficFileError
from forecaster.traffic.files import ReadOptions, read_traffic
from tests.traffic.file_rows import rows, table

LONG = "series,timestamp,value"


def refusal(folder: Path, content: str | bytes, **options: object) -> TrafficFileError:
    path = folder / "traffic.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrafficFileError) as caught:
        read_traffic(path, ReadOptions(**options))  # type: ignore[arg-type]
    error = caught.value
    where = str(path) if error.line is None else f"{path}:{error.line}"
    assert str(error).startswith(f"{where}: ")
    assert "\nA valid example:\n" in str(error)
    return error


def parquet(frame: pd.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.to_parquet(data)
    return data.getvalue()


# --- the file as a whole --------------------------------------------------------------------------


def test_a_file_that_does_not_exist():
    with pytest.raises(TrafficFileError, match=r"^no/such\.csv: there is no such file$"):
        read_traffic("no/such.csv")


def test_a_directory(tmp_path: Path):
    with pytest.raises(TrafficFileError, match=r"this is a directory; name a file in it$"):
        read_traffic(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path):
    path = tmp_path / "secret.csv"
    path.write_text(table(*rows(5)))
    path.chmod(0)
    with pytest.raises(TrafficFileError, match="no permission to read this file"):
        read_traffic(path)


def test_a_file_below_a_file(tmp_path: Path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(TrafficFileError, match="cannot be read: Not a directory"):
        read_traffic(tmp_path / "a" / "traffic.csv")


COMPRESSED = gzip.compress(table(*rows(500)).encode())

WHOLE_FILES = [
    pytest.param(b"", None, "the file is empty", id="empty"),
    pytest.param(b" \r\n\n", None, "the file is empty", id="blank lines only"),
    pytest.param(gzip.compress(b""), None, "the file is empty", id="empty gzip"),
    pytest.param(b"timestamp,value\n", 1, "there is a header and no row of data", id="header only"),
    pytest.param(
        b"\n\ntimestamp,value\n,\n", 3, "there is a header and no row", id="blank rows only"
    ),
    pytest.param(b"\xef\xbb\xbfsep=;\n", 1, "a line 'sep=' and nothing else", id="sep only"),
    pytest.param(COMPRESSED[:-30], None, "the gzip data ends too early", id="truncated gzip"),
    pytest.param(
        COMPRESSED[:40] + b"\xff\xff\xff" + COMPRESSED[43:],
        None,
        "gzip data is damaged",
        id="bad gzip",
    ),
    pytest.param(b"\x1f\x8b nonsense", None, "the gzip data is damaged", id="only gzip's magic"),
    pytest.param(
        b"<!DOCTYPE html><html><head><title>Sign in\n</title></head><body>",
        1,
        "this is an HTML page titled 'Sign in', not data: often the log-in or error page",
        id="HTML",
    ),
    pytest.param(b'<?xml version="1.0"?><feed/>', 1, "this is XML, not a table", id="XML"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "this is binary data", id="binary"),
    pytest.param(bytes(range(1, 128)) * 9, 1, "this is binary data", id="binary without NUL"),
    pytest.param(b"PK\x03\x04\x14\0", 1, "a ZIP archive or an Excel workbook", id="zip"),
    pytest.param(b"\x28\xb5\x2f\xfd\x04", 1, "compressed by zstd; unpack it", id="zstd"),
    pytest.param(
        "timestamp,value\n2024-03-01,1\n2024-03-02,1 caf\xe9\n".encode("latin-1"),
        3,
        "byte 0xe9 is not UTF-8 text; save it as UTF-8",
        id="latin-1",
    ),
    pytest.param(
        b"PAR1 and no more", None, "this Parquet file is damaged or cut off", id="Parquet cut"
    ),
    pytest.param(
        b"404 page not found",
        1,
        "a column is missing: there is only '404 page not found'",
        id="prose",
    ),
    pytest.param(
        b'{"dashboard": {}}', 1, "this JSON is an object with 'dashboard'", id="other JSON"
    ),
    pytest.param(b'[{"target": "a"}]', 1, "this JSON is a list", id="a list in JSON"),
    pytest.param(b'{"status":\n"succ', 2, "this is not valid JSON", id="JSON cut off"),
    pytest.param(b"[" * 100_000, 1, "this JSON is nested too deeply", id="deep JSON"),
]


@pytest.mark.parametrize(("content", "line", "message"), WHOLE_FILES)
def test_files_that_hold_no_traffic(tmp_path: Path, content: bytes, line: int | None, message: str):
    error = refusal(tmp_path, content)
    assert message in str(error)
    assert error.line == line


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        pytest.param("timestamp", ["2024-03-01T00:00:00Z"], "a column is missing", id="one column"),
        pytest.param(
            "series,timestamp",
            ["a,2024-03-01T00:00:00Z"],
            "no column of values among 'series', 'timestamp'",
            id="no value",
        ),
        pytest.param(
            "series,value",
            ["a,1", "a,2"],
            "no column of time stamps among 'series', 'value'",
            id="no time",
        ),
        pytest.param(
            "a,b,c",
            ["1,2,3", "2,3,4"],
            "no column of time stamps among 'a', 'b', 'c'",
            id="three numbers",
        ),
        pytest.param(
            "series,timestamp,p50,p99",
            ["a,2024-03-01T00:00:00Z,1,2"],
            "no column called 'value' among 'series', 'timestamp', 'p50', 'p99'",
            id="which value",
        ),
        pytest.param(
            "time,api,api",
            ["2024-03-01T00:00:00Z,1,2"],
            "two columns are called 'api'",
            id="same name twice",
        ),
        pytest.param(
            "date,time,value",
            ["2024-03-01,00:00:00,1"],
            "the columns 'date' and 'time' hold one stamp between them",
            id="date and time apart",
        ),
        pytest.param(
            "2024-03-01T00:00:00Z,1,2",
            ["2024-03-01T00:01:00Z,1,2"],
            "there is no header line to name the columns",
            id="wide without header",
        ),
    ],
)
def test_columns_that_are_missing(tmp_path: Path, header: str, lines: list[str], message: str):
    error = refusal(tmp_path, table(*lines, header=header))
    assert message in str(error)
    assert error.line == 1


# --- rows -----------------------------------------------------------------------------------------

GOOD = rows(6)
NEXT = "2024-03-01T00:06:00Z"

BAD_ROWS = [
    pytest.param(
        "yesterday,5", "'yesterday' is not a time stamp; write 2024-03-01T20:05:00Z", id="stamp"
    ),
    pytest.param(
        "2024-13-45T00:00:00Z,5", "'2024-13-45T00:00:00Z' is not a time stamp", id="no such day"
    ),
    pytest.param(",5", "the time stamp is blank", id="blank stamp"),
    pytest.param("01/03/2024 00:06,5", "ambiguous in general", id="day or month first"),
    pytest.param("31.12.2023 00:06,5", "Write the year first (ISO 8601)", id="day first"),
    pytest.param("06/15/2023 00:06,5", "as in 2024-03-01 20:05:00", id="month first"),
    pytest.param(
        "1709251560,5", "'1709251560' is an epoch number where other stamps are", id="epoch"
    ),
    pytest.param("12345,5", "'12345' is not a time stamp", id="a small number"),
    pytest.param("timestamp,value", "the header stands here a second time", id="header again"),
    pytest.param(
        "2024-03-01T00:06:00,5", "mixed zones: '2024-03-01T00:06:00' has no time", id="no zone"
    ),
    pytest.param(f"{NEXT},abc", "'abc' in column 'value' is not a number", id="not a number"),
    pytest.param(f"{NEXT},1.2 K req/s", "turn off 'Formatted data'", id="formatted"),
    pytest.param(f'{NEXT},"1,250.5"', "has commas; write 1250.5", id="thousands"),
    pytest.param(f'{NEXT},"1250,5"', "has a decimal comma", id="decimal comma"),
    pytest.param(f"{NEXT},0x1F", "'0x1F' in column 'value' is not a", id="hexadecimal"),
    pytest.param(f"{NEXT},-3", "the value -3 is negative; traffic is 0 or more", id="negative"),
    pytest.param(f"{NEXT},inf", "the value is infinite", id="infinite"),
    pytest.param(f"{NEXT},1e999", "'1e999' in column 'value' is not a number", id="too large"),
    pytest.param(
        f"{NEXT},1,250", "3 cells where the first line has 2. A decimal comma?", id="long row"
    ),
    pytest.param(f"{NEXT}", "1 cell where the first line has 2", id="short row"),
    pytest.param(f'"{NEXT},5', "a quote is opened here and never closed", id="unclosed quote"),
    pytest.param(
        "2024-03-01T00:02:00Z,99", "stands twice with different values, 99 here and 12", id="twice"
    ),
    pytest.param(
        "2024-03-01T00:05:20Z,99", "only 20 s after the row before it", id="two in one step"
    ),
]


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS)
@pytest.mark.parametrize(
    ("ending", "line"),
    [
        pytest.param("\n", 8, id="LF"),
        pytest.param("\r\n", 8, id="CRLF"),
        pytest.param("\n\n", 15, id="blank lines"),
    ],
)
def test_bad_rows_are_named_by_their_line(
    tmp_path: Path, bad: str, message: str, ending: str, line: int
):
    error = refusal(
        tmp_path, table(*GOOD, bad, *rows(3, "2024-03-01T00:07:00")).replace("\n", ending)
    )
    assert message in str(error)
    assert error.line == line


def test_the_line_counts_a_sep_line_and_cells_of_several_lines(tmp_path: Path):
    lines = [f'"a\nb";{line.replace(",", ";")}' for line in rows(5)]
    lines[3] = lines[3][:-2] + "oops"
    error = refusal(tmp_path, "sep=;\n" + table(*lines, header=LONG.replace(",", ";")))
    assert "oops" in str(error)
    assert error.line == 9


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("2024-03-01T00:02:00Z,99", "(compare line 4)", id="duplicates that disagree"),
        pytest.param("2024-03-01T00:06:00,99", "(compare line 2)", id="mixed zones"),
        pytest.param("2024-03-01T00:05:20Z,99", "(compare line 7)", id="two in one step"),
    ],
)
def test_two_lines_that_do_not_agree_are_both_named(tmp_path: Path, line: str, message: str):
    assert message in str(refusal(tmp_path, table(*GOOD, line)))


def test_the_first_stamp_may_be_the_one_with_another_zone(tmp_path: Path):
    error = refusal(tmp_path, table("2024-02-29T23:59:00,9", *GOOD))
    assert "'2024-03-01T00:00:00Z' has a time zone and '2024-02-29T23:59:00' has none" in str(error)
    assert error.line == 3


def test_epochs_of_two_units(tmp_path: Path):
    error = refusal(tmp_path, table("1709251200,1", "1709251260,2", "1709251320000,3"))
    assert "is an epoch in milliseconds where '1709251200' is one in seconds" in str(error)
    assert error.line == 4


def test_a_bad_row_of_a_series_in_the_long_form_names_the_series(tmp_path: Path):
    lines = [*(f"a,{line}" for line in GOOD), *(f"b,{line}" for line in GOOD), f"b,{GOOD[2]}9"]
    error = refusal(tmp_path, table(*lines, header=LONG))
    assert "series b: 2024-03-01T00:02:00Z stands twice" in str(error)
    assert error.line == 14


def test_a_series_without_a_name(tmp_path: Path):
    error = refusal(tmp_path, table(f"a,{GOOD[0]}", f",{GOOD[1]}", header=LONG))
    assert "the name of the series is blank" in str(error)
    assert error.line == 3


def test_a_parquet_row_is_named_by_its_number(tmp_path: Path):
    stamps = pd.date_range("2024-03-01", periods=4, freq="min", tz="UTC")
    error = refusal(tmp_path, parquet(pd.DataFrame({"ts": stamps, "value": [1.0, 2.0, -3.0, 4.0]})))
    assert "row 3: the value -3 is negative" in str(error)
    blank = pd.DataFrame({"ts": [stamps[0], pd.NaT, stamps[2]], "value": [1.0, 2.0, 3.0]})
    assert "row 2: the time stamp is blank" in str(refusal(tmp_path, parquet(blank)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            [True, False, True], "row 1: 'True' in column 'value' is not a number", id="booleans"
        ),
        pytest.param(
            list(pd.date_range("2024-03-01", periods=3)), "in column 'value' is not a", id="times"
        ),
        pytest.param([[1.0], [2.0], [3.0]], "row 1: '[1.]' in column 'value' is not a", id="lists"),
    ],
)
def test_parquet_columns_that_are_no_numbers(tmp_path: Path, values: list[object], message: str):
    stamps = pd.date_range("2024-03-01", periods=3, freq="min", tz="UTC")
    frame = pd.DataFrame({"ts": stamps, "value": values})
    assert message in str(refusal(tmp_path, parquet(frame)))


def test_a_parquet_table_without_rows_or_without_values(tmp_path: Path):
    empty = parquet(pd.DataFrame({"ts": [], "value": []}))
    assert "there are columns and no row of data" in str(refusal(tmp_path, empty))
    stamps = parquet(pd.DataFrame({"ts": pd.date_range("2024-03-01", periods=3, tz="UTC")}))
    assert "no column of values among 'ts'" in str(refusal(tmp_path, stamps))


# --- too little -----------------------------------------------------------------------------------


def test_all_values_blank(tmp_path: Path):
    error = refusal(tmp_path, table(*rows(9, value=lambda _: "NaN")))
    assert "every value is blank (NaN)" in str(error)
    assert error.line == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(rows(1), ":2: only 1 row; at least 3 are needed", id="one row"),
        pytest.param(rows(2), ":3: only 2 rows; at least 3 are needed", id="two rows"),
        pytest.param(
            rows(9, value=lambda i: i if i < 2 else ""),
            ":10: only 2 values in 9 rows",
            id="few values",
        ),
        pytest.param([*rows(2), *rows(2)], "only 2 values in 4 rows", id="the same two rows twice"),
    ],
)
def test_too_little_history(tmp_path: Path, lines: list[str], message: str):
    path = tmp_path / "traffic.csv"
    path.write_text(table(*lines))
    with pytest.raises(HistoryTooShort) as caught:
        read_traffic(path)
    assert f"{path}" in str(caught.value)
    assert message in str(caught.value)
    assert "A valid example:" in str(caught.value)


def test_too_little_history_in_every_one_of_several_series(tmp_path: Path):
    path = tmp_path / "traffic.csv"
    path.write_text(table(*(f"{name},{line}" for name in "abc" for line in rows(2)), header=LONG))
    with pytest.raises(HistoryTooShort, match="only 2 rows in the longest of 3 series"):
        read_traffic(path)


# --- steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        pytest.param(60, 300, "the step changes here, from 1m to 5m", id="1m to 5m"),
        pytest.param(300, 60, "the step changes here, from 5m to 1m", id="5m to 1m"),
        pytest.param(3600, 900, "the step changes here, from 1h to 15m", id="1h to 15m"),
    ],
)
def test_a_step_that_changes_half_way_is_refused_with_its_line(
    tmp_path: Path, first: int, second: int, message: str
):
    switch = pd.Timestamp("2024-03-01") + timedelta(seconds=29 * first + second)
    lines = [*rows(30, step_seconds=first), *rows(30, switch.isoformat(), second)]
    error = refusal(tmp_path, table(*lines))
    assert message in str(error)
    assert error.line == 32


def test_a_step_that_changes_in_one_of_several_series(tmp_path: Path):
    changing = [*rows(30), *rows(30, "2024-03-01T00:34:00", 300)]
    lines = [*(f"a,{line}" for line in rows(99)), *(f"b,{line}" for line in changing)]
    error = refusal(tmp_path, table(*lines, header=LONG))
    assert "series b: the step changes here, from 1m to 5m" in str(error)
    assert error.line == 1 + 99 + 31


def test_series_with_steps_of_their_own(tmp_path: Path):
    lines = [*(f"a,{x}" for x in rows(60)), *(f"b,{x}" for x in rows(12, step_seconds=300))]
    error = refusal(tmp_path, table(*lines, header=LONG))
    assert "series b: its values are 5m apart where the step is 1m" in str(error)
    assert "--step 1m" in str(error)
    assert error.line == 63


def test_a_coarser_step_that_is_asked_for_would_need_adding_up(tmp_path: Path):
    error = refusal(tmp_path, table(*rows(30)), step=timedelta(minutes=5))
    assert "the rows are 1m apart, closer than the step of 5m that was asked for" in str(error)
    assert error.line == 3


def test_a_step_that_is_asked_for_and_does_not_fit(tmp_path: Path):
    error = refusal(tmp_path, table(*rows(30, step_seconds=300)), step=timedelta(minutes=2))
    assert "5m apart, which is no multiple of the step of 2m" in str(error)
    assert error.line == 3


def test_rows_that_are_single_events(tmp_path: Path):
    at = np.sort(np.random.default_rng(5).uniform(0, 86_400, 800)) + 1_709_251_200
    error = refusal(tmp_path, table(*(f"{second:.3f},1" for second in at)))
    assert "the rows have no regular step: export sums or rates at a fixed step" in str(error)


def test_a_stamp_far_from_all_others(tmp_path: Path):
    lines = [*rows(6), "2091-03-01T00:00:00Z,5", *rows(3, "2024-03-01T00:06:00")]
    error = refusal(tmp_path, table(*lines))
    assert "a jump of 24471 days from the row before it" in str(error)
    assert error.line == 8


# --- whatever comes -------------------------------------------------------------------------------


def test_no_mangled_file_ends_in_anything_but_a_traffic_error(tmp_path: Path):
    random = np.random.default_rng(11)
    path = tmp_path / "traffic.csv"
    good = {
        "csv": table(*rows(40)).encode(),
        "long": table(
            *(f'"a, {i % 2}",{line}' for i, line in enumerate(rows(40))), header=LONG
        ).encode(),
        "json": b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},'
        b'"values":[[1709251200,"1"],[1709251260,"2"],[1709251320,"3"]]}]}}',
        "lines": b'{"metric":{"a":"b"},"values":[1,2,3],"timestamps":[1709251200000,1709251260000,'
        b"1709251320000]}\n",
        "gzip": COMPRESSED,
        "parquet": parquet(pd.DataFrame({"ts": range(9), "value": range(9)})),
    }
    for content in good.values():
        for _ in range(60):
            data = bytearray(content)
            for _ in range(random.integers(1, 6)):
                at = int(random.integers(len(data)))
                change = random.integers(4)
                if change == 0:
                    data[at] = int(random.integers(256))
                elif change == 1:
                    del data[at : at + int(random.integers(1, 20))]
                elif change == 2:
                    data[at:at] = random.choice([b",", b'"', b"\n", b"-", b"[", b"NaN", b"null"])
                else:
                    data[at:at] = data[at // 2 : at]
            path.write_bytes(data)
            try:
                read_traffic(path)
            except TrafficError:
                continue
