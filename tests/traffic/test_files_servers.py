"""Saved answers of Prometheus and VictoriaMetrics.

Those in ``data`` are real: both servers were fed counters made from 40 minutes of the bundled
trace (10 June 1998 at 15:00, moved to 2024; a second workload has a quarter of it), each stamped
when its minute was over.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import HistoryTooShort, TrafficFileError
from forecaster.traffic.files import ReadOptions, TrafficFile, Unit, read_traffic
from forecaster.traffic.sample import sample_history

DATA = Path(__file__).parent / "data"
START = datetime(2024, 6, 10, 15, tzinfo=UTC)
FIRST = int(START.timestamp())
END_OF_INTERVAL = "a value at t covers the step before t, so it is stored at t minus one step"


def trace_rps() -> np.ndarray:
    series = sample_history().series[0]
    first = series.index_of(datetime(1998, 6, 10, 15, tzinfo=UTC))
    return series.rate_rps[first : first + 40]


def read(folder: Path, content: str, unit: Unit = Unit.RPS) -> TrafficFile:
    path = folder / "saved.json"
    path.write_text(content)
    return read_traffic(path, ReadOptions(unit=unit))


def matrix(*results: dict[str, object], **more: object) -> str:
    data = {"resultType": "matrix", "result": list(results)}
    return json.dumps({"status": "success", "data": data, **more})


def pairs(count: int, value=lambda index: str(index % 5 + 1)) -> list[list[object]]:
    return [[FIRST + 60 * index, value(index)] for index in range(count)]


def export(labels: dict[str, str], count: int, first: int = 0, value=float) -> str:
    at = range(first, first + count)
    return json.dumps(
        {
            "metric": labels,
            "values": [value(index) for index in at],
            "timestamps": [(FIRST + 60 * index) * 1000 for index in at],
        }
    )


# --- real answers ---------------------------------------------------------------------------------


def test_counts_by_victoriametrics_come_back_in_the_minutes_in_which_they_happened():
    saved = DATA / "victoriametrics-query-range.json"
    history = read_traffic(saved, ReadOptions(unit=Unit.REQUESTS)).history
    series = history["streaming/player-api"]
    assert (series.start, series.step) == (START, timedelta(minutes=1))
    np.testing.assert_allclose(series.rate_rps, trace_rps())
    np.testing.assert_allclose(history["streaming/catalogue"].rate_rps * 4, trace_rps(), rtol=1e-3)


def test_rates_over_two_minutes_by_prometheus_are_means_of_two_minutes():
    got = read_traffic(DATA / "prometheus-query-range.json")
    assert got.history.ids == ("streaming/catalogue", "streaming/player-api")
    series = got.history["streaming/player-api"]
    assert series.start == START
    true = trace_rps()
    np.testing.assert_allclose(series.rate_rps[1:], (true[1:] + true[:-1]) / 2)
    assert got.notices == (END_OF_INTERVAL,)


def test_an_export_of_a_recorded_rate_is_snapped_joined_and_stored_at_the_interval_start():
    got = read_traffic(DATA / "victoriametrics-export-gauge.jsonl")
    series = got.history["streaming/player-api"]
    assert (series.start, len(series)) == (START, 40)
    missing = [9, 17]  # a NaN that the server did not keep, and a scrape that failed
    assert np.flatnonzero(np.isnan(series.rate_rps)).tolist() == missing
    seen = np.setdiff1d(np.arange(40), missing)
    np.testing.assert_allclose(series.rate_rps[seen], trace_rps()[seen])
    assert got.notices == (
        "38 stamps were up to 0.791 s off the grid of 1m: snapped",
        END_OF_INTERVAL,
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "prometheus-error.json",
            "bad_data: 1:34: parse error: unclosed left parenthesis",
            id="an error",
        ),
        pytest.param(
            "prometheus-instant-query.json",
            "of type 'vector': one instant, no history. Ask /api/v1/query_range",
            id="an instant query",
        ),
        pytest.param(
            "prometheus-counter.json",
            "'http_requests_total' only ever grows: it is a counter exported raw, not traffic. "
            "Export its rate instead: rate(http_requests_total[5m])",
            id="a raw counter",
        ),
        pytest.param(
            "victoriametrics-export-counter.jsonl",
            "Export its rate instead: rate(http_requests_total[5m])",
            id="an exported counter",
        ),
    ],
)
def test_answers_that_are_no_traffic_are_refused(name: str, message: str):
    with pytest.raises(TrafficFileError) as caught:
        read_traffic(DATA / name)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{DATA / name}:1: ")


# --- query_range ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "series_id"),
    [
        pytest.param({"namespace": "a", "deployment": "b", "x": "y"}, "a/b", id="deployment"),
        pytest.param({"namespace": "a", "app": "b"}, "a/b", id="app"),
        pytest.param({"exported_namespace": "a", "service": "b"}, "a/b", id="service"),
        pytest.param({"__name__": "requests:rate5m"}, "requests:rate5m", id="name only"),
        pytest.param({"__name__": "up", "job": "b", "a": 'q"'}, r'up{a="q\"",job="b"}', id="text"),
        pytest.param({"deployment": "b"}, '{deployment="b"}', id="no namespace"),
        pytest.param({}, "{}", id="no labels"),
    ],
)
def test_series_are_called_by_their_labels(tmp_path: Path, labels: dict[str, str], series_id: str):
    got = read(tmp_path, matrix({"metric": labels, "values": pairs(5)}))
    assert got.history.ids == (series_id,)
    assert got.history[series_id].start == START - timedelta(minutes=1)


def test_the_data_part_alone_is_enough_and_warnings_are_passed_on(tmp_path: Path):
    result = {"metric": {}, "values": pairs(5)}
    assert (
        len(read(tmp_path, json.dumps({"resultType": "matrix", "result": [result]})).history) == 1
    )
    got = read(tmp_path, matrix(result, warnings=["slow store"], isPartial=True))
    assert got.notices[0] == "the answer carries a warning: slow store"
    assert "it is partial" in got.notices[1]


def test_nan_is_a_gap_and_so_is_an_absent_sample(tmp_path: Path):
    values = [pair for pair in pairs(8) if pair[0] != FIRST + 120]
    values[3][1] = "NaN"
    got = read(tmp_path, matrix({"metric": {}, "values": values}))
    assert np.flatnonzero(np.isnan(got.history.series[0].rate_rps)).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param([FIRST + 300, "many"], 'the value "many" is not a number', id="text"),
        pytest.param([FIRST + 300, "+Inf"], "the value is infinite", id="infinite"),
        pytest.param([FIRST + 300, "-1"], "the value -1 is negative", id="negative"),
        pytest.param([FIRST + 300, {"count": "1"}], "the value {", id="histogram"),
        pytest.param(["soon", "1"], 'the time stamp "soon" is not a number', id="stamp"),
        pytest.param([True, "1"], "True is not a time stamp in seconds", id="boolean"),
        pytest.param([FIRST * 1000, "1"], "is not a time stamp in seconds", id="milliseconds"),
        pytest.param([FIRST + 240, "9"], "stands twice with different values", id="twice"),
    ],
)
def test_bad_samples_are_named_by_line_and_series(tmp_path: Path, bad: list[object], message: str):
    good = {"metric": {"a": '[1, "\\'}, "values": pairs(5)}
    content = matrix(good, {"metric": {"a": "b"}, "values": [*pairs(5), bad]})
    pretty = content.replace(", [", ",\n[").replace('"result"', '\n"result"')
    for text, line in ((content, 1), (pretty, 2 + 4 + 4 + 1)):
        with pytest.raises(TrafficFileError) as caught:
            read(tmp_path, text)
        assert 'series {a="b"}: ' in str(caught.value)
        assert message in str(caught.value)
        assert caught.value.line == line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(matrix(), "the query matched no series", id="empty"),
        pytest.param('{"status":"success"}', "there is no 'resultType' in it", id="no data"),
        pytest.param('{"status":"success","data":[]}', "no 'resultType' in it", id="a list"),
        pytest.param(
            matrix({"metric": {}, "histograms": []}), "a result has no 'values'", id="histograms"
        ),
        pytest.param(
            matrix({"metric": {}, "values": [1, 2]}),
            '1 is not a pair [seconds, "value"]',
            id="pair",
        ),
        pytest.param(
            matrix({"metric": [], "values": pairs(4)}), "'metric' is [], where labels", id="labels"
        ),
        pytest.param(
            matrix({"metric": {}, "values": pairs(4)}, {"metric": {}, "values": pairs(4)}),
            "another series has the same name and labels",
            id="the same labels twice",
        ),
        pytest.param(matrix({"metric": {}, "values": pairs(4)})[:-9], "not valid JSON", id="cut"),
    ],
)
def test_answers_of_another_shape_are_refused(tmp_path: Path, content: str, message: str):
    with pytest.raises(TrafficFileError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert caught.value.line == 1
    assert '"resultType":"matrix"' in str(caught.value)


def test_an_answer_with_two_samples_is_too_little_history(tmp_path: Path):
    with pytest.raises(HistoryTooShort, match="only 2 rows"):
        read(tmp_path, matrix({"metric": {}, "values": pairs(2)}))


# --- VictoriaMetrics' export ----------------------------------------------------------------------


def test_pieces_of_a_series_on_several_lines_are_joined_and_null_is_a_gap(tmp_path: Path):
    a, b = {"__name__": "r", "pod": "a"}, {"__name__": "r", "pod": "b"}
    lines = [
        export(a, 5),
        export(b, 5, value=lambda _: "9"),
        "",
        export(a, 4, 5, value=lambda index: None if index == 6 else index),
    ]
    history = read(tmp_path, "\n".join(lines)).history
    assert history.ids == ('r{pod="a"}', 'r{pod="b"}')
    np.testing.assert_array_equal(history['r{pod="a"}'].rate_rps, [0, 1, 2, 3, 4, 5, np.nan, 7, 8])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(export({"a": "b"}, 5)[:-9], "this line is not valid JSON", id="cut off"),
        pytest.param('{"values":[1],"timestamps":[2]}', "has no 'metric' with labels", id="metric"),
        pytest.param('{"metric":{},"values":[1]}', "has no 'values' and 'timestamps'", id="stamps"),
        pytest.param(
            '{"metric":{},"values":[1],"timestamps":[]}', "1 values and 0 timestamps", id="lengths"
        ),
        pytest.param(
            export({"a": "b"}, 5, value=lambda _: "Infinity"),
            'series {a="b"}: the value is infinite',
            id="infinite",
        ),
        pytest.param(
            export({"a": "b"}, 5, value=lambda index: -1 - index),
            'series {a="b"}: the value -1 is negative',
            id="negative",
        ),
        pytest.param(
            '{"metric":{"a":"b"},"values":[1],"timestamps":[1709251200]}',
            "1709251200 is not a time stamp in milliseconds",
            id="seconds",
        ),
    ],
)
def test_a_bad_line_of_an_export_is_named(tmp_path: Path, line: str, message: str):
    with pytest.raises(TrafficFileError) as caught:
        read(tmp_path, "\n".join([export({"a": "a"}, 5), "", line]))
    assert message in str(caught.value)
    assert caught.value.line == 3
    assert '"timestamps":[' in str(caught.value)
