from __future__ import annotations

import gzip
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import TrafficFileError
from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.sample import sample_history
from forecaster.traffic.writers import write_traffic_csv

START = datetime(2024, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def series(series_id: str, *values: float, start: datetime = START) -> TrafficSeries:
    return TrafficSeries(series_id, start, MINUTE, np.array(values))


def test_one_series_called_like_the_file_needs_two_columns(tmp_path: Path):
    write_traffic_csv(tmp_path / "api.csv", TrafficHistory([series("api", 1, np.nan, 2.5)]))
    assert (tmp_path / "api.csv").read_text() == (
        "timestamp,value\n2024-03-01T00:00:00Z,1.0\n2024-03-01T00:02:00Z,2.5\n"
    )


def test_any_other_history_carries_the_names_of_its_series(tmp_path: Path):
    path = tmp_path / "fleet.csv"
    late = START + timedelta(hours=1)
    history = TrafficHistory([series("a, b", 1 / 60), series("c", 2.0, start=late)])
    write_traffic_csv(path, history, Unit.REQUESTS)
    assert path.read_text() == (
        'series,timestamp,value\n"a, b",2024-03-01T00:00:00Z,1\nc,2024-03-01T01:00:00Z,120\n'
    )


def test_a_name_that_ends_in_gz_is_gzipped_the_same_every_time(tmp_path: Path):
    history = TrafficHistory([series("api", 1, 2, 3)])
    write_traffic_csv(tmp_path / "api.csv.gz", history)
    first = (tmp_path / "api.csv.gz").read_bytes()
    write_traffic_csv(tmp_path / "api.csv.gz", history)
    assert (tmp_path / "api.csv.gz").read_bytes() == first
    assert gzip.decompress(first).startswith(b"timestamp,value\n")


def test_the_real_trace_comes_back_whole(tmp_path: Path):
    history = sample_history()
    write_traffic_csv(tmp_path / "trace.csv.gz", history, Unit.REQUESTS)
    back = read_traffic(tmp_path / "trace.csv.gz", ReadOptions(unit=Unit.REQUESTS)).history
    assert back.ids == history.ids
    assert back.series[0].start == history.series[0].start
    np.testing.assert_array_equal(back.series[0].rate_rps, history.series[0].rate_rps)


def test_a_file_that_cannot_be_written_leaves_nothing_behind_and_spoils_nothing(tmp_path: Path):
    history = TrafficHistory([series("api", 1, 2, 3)])
    with pytest.raises(TrafficFileError, match="cannot be written: No such file or directory"):
        write_traffic_csv(tmp_path / "no" / "api.csv", history)
    (tmp_path / "taken").mkdir()
    with pytest.raises(TrafficFileError, match="cannot be written: Is a directory"):
        write_traffic_csv(tmp_path / "taken", history)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forecaster.traffic.writers.write_traffic", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_traffic_csv(tmp_path / "api.csv", TrafficHistory([series("api", 1, 2, 3)]))
    assert list(tmp_path.iterdir()) == []


def test_a_stamp_within_a_second_is_written_with_its_fraction(tmp_path: Path):
    start = START + timedelta(milliseconds=250)
    write_traffic_csv(tmp_path / "api.csv", TrafficHistory([series("api", 1, start=start)]))
    assert "2024-03-01T00:00:00.250000Z,1.0" in (tmp_path / "api.csv").read_text()


def test_the_file_may_be_read_by_whom_other_files_may_be_read(tmp_path: Path):
    (tmp_path / "other").write_text("")
    write_traffic_csv(tmp_path / "api.csv", TrafficHistory([series("api", 1, 2, 3)]))
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "api.csv")}
    assert len(modes) == 1


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    min_size=1,
    max_size=12,
).filter(lambda name: name.strip() == name and "{" not in name)
rates = st.one_of(st.just(np.nan), st.floats(0, 1e9, allow_subnormal=False))


@st.composite
def histories(draw: st.DrawFn) -> TrafficHistory:
    step = timedelta(seconds=draw(st.sampled_from([1, 10, 60, 300, 3600, 86_400])))
    ids = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    every = []
    for series_id in ids:
        inner = draw(st.lists(rates, min_size=1, max_size=30))
        edges = draw(st.lists(st.floats(0, 1e9), min_size=2, max_size=2))
        values = np.array([edges[0], *inner, edges[1]])
        values[len(values) // 2] = 7.0
        start = START + draw(st.integers(0, 10_000)) * step
        every.append(TrafficSeries(series_id, start, step, values))
    return TrafficHistory(every)


@given(
    history=histories(),
    unit=st.sampled_from(Unit),
    ending=st.sampled_from([".csv", ".csv.gz", ".parquet"]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, history: TrafficHistory, unit: Unit, ending: str
):
    path = tmp_path_factory.mktemp("written") / f"traffic{ending}"
    write_traffic_csv(path, history, unit)
    back = read_traffic(path, ReadOptions(unit=unit, step=history.step)).history
    assert back.ids == history.ids
    for one, again in zip(history, back, strict=True):
        assert (again.start, again.step) == (one.start, one.step)
        rtol = 0 if unit is Unit.RPS else 1e-14
        np.testing.assert_allclose(again.rate_rps, one.rate_rps, rtol=rtol, atol=0)
