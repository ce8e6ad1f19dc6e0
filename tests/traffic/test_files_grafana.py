"""What Grafana's "Download CSV" writes, in its several forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import TrafficFileError
from forecaster.traffic.files import ReadOptions, read_traffic

START = datetime(2024, 6, 10, 15, tzinfo=UTC)
EPOCH_MS = int(START.timestamp() * 1000)
API = '"{deployment=""player-api"", namespace=""streaming""}"'
CATALOGUE = '"requests{deployment=""catalogue"", namespace=""streaming""}"'


def read(folder: Path, content: str | bytes, **options: object):
    path = folder / "Requests-data-as-joinbyfield-2024-06-10.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_traffic(path, ReadOptions(**options))  # type: ignore[arg-type]


def joined(delimiter: str = ",", blank: str = "") -> str:
    lines = [delimiter.join(['"Time"', API, CATALOGUE])]
    for index in range(6):
        second = blank if index == 2 else str(20 + index)
        lines.append(delimiter.join([str(EPOCH_MS + 60_000 * index), str(10 + index), second]))
    return "\r\n".join(lines)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(joined(), id="as downloaded"),
        pytest.param("\ufeffsep=,\r\n" + joined(), id="for Excel, up to Grafana 9"),
        pytest.param(joined("\t").encode("utf-16"), id="for Excel, since Grafana 10"),
        pytest.param(joined(";", "null"), id="semicolons and null"),
        pytest.param(joined(",", "undefined"), id="undefined"),
    ],
)
def test_series_joined_by_time_become_a_series_for_each_column(
    tmp_path: Path, content: str | bytes
):
    history = read(tmp_path, content).history
    assert history.ids == ("streaming/player-api", "streaming/catalogue")
    assert [series.start for series in history] == [START, START]
    assert history["streaming/player-api"].rate_rps.tolist() == [10, 11, 12, 13, 14, 15]
    np.testing.assert_array_equal(
        history["streaming/catalogue"].rate_rps, [20, 21, np.nan, 23, 24, 25]
    )


def test_a_column_of_formatted_times_is_local_to_the_browser(tmp_path: Path):
    lines = [
        f"{(START + timedelta(hours=2, minutes=i)).strftime('%Y-%m-%d %H:%M:%S')},{i}"
        for i in range(5)
    ]
    content = "\n".join(['"Time","player-api"', *lines])
    history = read(tmp_path, content, timezone="Europe/Paris").history
    assert (history.ids, history["player-api"].start) == (("player-api",), START)
    utc = read(tmp_path, content)
    assert utc.history["player-api"].start == START + timedelta(hours=2)
    assert "read as UTC" in utc.notices[0]


def test_a_column_called_value_takes_its_name_from_the_file(tmp_path: Path):
    lines = [f"{EPOCH_MS + 60_000 * index},{index}" for index in range(5)]
    history = read(tmp_path, "\n".join(["Time,Value #A", *lines])).history
    assert history.ids == ("Requests-data-as-joinbyfield-2024-06-10",)


def test_series_as_rows_of_older_versions(tmp_path: Path):
    lines = [
        f"{name};{(START + timedelta(minutes=i)).strftime('%Y-%m-%dT%H:%M:%S.000Z')};{i}"
        for name in ("player-api", "catalogue")
        for i in range(5)
    ]
    history = read(tmp_path, "\n".join(['"Series";"Time";"Value"', *lines])).history
    assert history.ids == ("player-api", "catalogue")
    assert history["catalogue"].rate_rps.tolist() == [0, 1, 2, 3, 4]


def test_a_delimiter_at_the_end_of_every_line(tmp_path: Path):
    lines = [f"{EPOCH_MS - 20_000 * index};{index};" for index in range(5)]
    got = read(tmp_path, "\n".join(["Time;player-api;", *lines]))
    assert got.history["player-api"].rate_rps.tolist() == [4, 3, 2, 1, 0]
    assert got.notices == ("4 rows were out of order (first at line 3): sorted",)


def test_a_table_panel_with_labels_in_columns(tmp_path: Path):
    lines = [
        f"{EPOCH_MS + 60_000 * index},streaming,{name},{index}"
        for index in range(5)
        for name in ("player-api", "catalogue")
    ]
    header = "Time,namespace,deployment,Value"
    history = read(tmp_path, "\n".join([header, *lines])).history
    assert history.ids == ("streaming/player-api", "streaming/catalogue")
    regions = "\n".join([header.replace("deployment", "region"), *lines])
    assert read(tmp_path, regions).history.ids == (
        '{namespace="streaming",region="player-api"}',
        '{namespace="streaming",region="catalogue"}',
    )


def test_labels_that_name_one_workload_twice_are_kept_apart(tmp_path: Path):
    header = ['"Time"', API, API[:-2] + ', status=""500""}"']
    lines = [f"{EPOCH_MS + 60_000 * index},5,{index}" for index in range(5)]
    history = read(tmp_path, "\n".join([",".join(header), *lines])).history
    assert history.ids == (
        '{deployment="player-api",namespace="streaming"}',
        '{deployment="player-api",namespace="streaming",status="500"}',
    )


@pytest.mark.parametrize("value", ["1.2 K req/s", "1.20 K", "885 req/s", "95%", "2.5 mins"])
def test_values_formatted_for_reading_are_refused_with_the_switch_to_turn(
    tmp_path: Path, value: str
):
    lines = [f"{EPOCH_MS + 60_000 * index},{value}" for index in range(5)]
    with pytest.raises(TrafficFileError, match="turn off 'Formatted data'") as caught:
        read(tmp_path, "\n".join(['"Time","player-api"', *lines]))
    assert caught.value.line == 2
