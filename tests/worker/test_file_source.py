"""A traffic file as a source."""

import os
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import SourceAnswerError, SourceUnavailable, TrafficFileError
from forecaster.settings import FileSettings
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.file_source import FileFetch
from tests.worker.sources import NOW, STEP, moved_trace, write_traffic_file

DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traffic.csv.gz"


def source(path, *workloads, unit="requests"):
    return FileFetch(FileSettings(path, unit), workloads or ("tv/api",))


def write_table(path, *names):
    rows = ["series,timestamp,value"]
    rows += [
        f"{name},{NOW + n * STEP:%Y-%m-%dT%H:%M:%SZ},{n + 100 * place}"
        for place, name in enumerate(names)
        for n in range(12)
    ]
    path.write_text("\n".join(rows))


def test_the_series_of_a_single_workload_needs_no_name(path):
    series = moved_trace("x", NOW, 2)
    write_traffic_file(path, series)
    fetched = source(path)(NOW - DAY, NOW - DAY / 2, STEP)
    (found,) = fetched.history
    assert found.series_id == "tv/api"
    assert (found.start, found.end) == (NOW - DAY, NOW - DAY / 2)
    np.testing.assert_allclose(found.rate_rps, series.since(NOW - DAY).rate_rps[:144], atol=2e-3)


def test_series_are_found_by_namespace_and_name_or_by_the_name_alone(tmp_path):
    path = tmp_path / "traffic.csv"
    write_table(path, "tv/api", "login", "web")
    fetch = source(path, "tv/api", "accounts/login", "tv/web", "radio/web", unit="rps")
    history = fetch(NOW, NOW + DAY, STEP).history
    assert set(history.ids) == {"tv/api", "accounts/login"}  # web could be either: it is neither
    assert history["accounts/login"].rate_rps[0] == 100


def test_no_known_name_is_an_error_that_shows_one(tmp_path):
    path = tmp_path / "traffic.csv"
    write_table(path, "tv/web", "tv/apis")
    with pytest.raises(SourceAnswerError, match=r"one is called 'tv/apis'.*for example tv/api"):
        source(path, "tv/api", "tv/login")(NOW, NOW + DAY, STEP)


def test_outside_of_the_file_there_is_no_traffic(path):
    write_traffic_file(path, moved_trace("x", NOW, 1))
    fetch = source(path)
    assert fetch(NOW, NOW + DAY, STEP).history is None
    assert fetch(NOW - 9 * DAY, NOW - 8 * DAY, STEP).history is None
    assert fetch(NOW - 9 * DAY, NOW + DAY, STEP).history.series[0].end == NOW


def test_a_file_is_read_again_when_it_changes(path):
    write_traffic_file(path, moved_trace("x", NOW, 1))
    fetch = source(path)
    assert fetch(NOW - DAY, NOW + DAY, STEP).history.series[0].end == NOW
    write_traffic_file(path, moved_trace("x", NOW + STEP, 1))
    os.utime(path, ns=(1, 1))  # even a clock that went back is a change
    assert fetch(NOW - DAY, NOW + DAY, STEP).history.series[0].end == NOW + STEP


def test_a_file_that_is_gone_is_unavailable_and_then_back(path):
    fetch = source(path)
    with pytest.raises(SourceUnavailable, match=r"traffic\.csv\.gz cannot be read: No such file"):
        fetch(NOW - DAY, NOW, STEP)
    write_traffic_file(path, moved_trace("x", NOW, 1))
    assert fetch(NOW - DAY, NOW, STEP).history is not None
    path.unlink()
    with pytest.raises(SourceUnavailable):
        fetch(NOW - DAY, NOW, STEP)


def test_another_step_than_the_settings_is_told_with_the_remedy(path):
    write_traffic_file(path, moved_trace("x", NOW, 1))
    with pytest.raises(
        SourceAnswerError, match=r"its step is 5m and the settings say 1m.*step: 5m"
    ):
        source(path)(NOW - DAY, NOW, timedelta(minutes=1))


def test_a_file_that_is_no_traffic_keeps_the_readers_words(path):
    path.write_text("a,b\nx,y\n")
    with pytest.raises(TrafficFileError):
        source(path)(NOW - DAY, NOW, STEP)


def test_a_unit_per_second_is_taken_as_it_is(tmp_path):
    path = tmp_path / "traffic.csv"
    write_table(path, "api")
    counted = source(path)(NOW, NOW + DAY, STEP).history.series[0]
    rates = source(path, unit="rps")(NOW, NOW + DAY, STEP).history.series[0]
    assert isinstance(rates, TrafficSeries)
    np.testing.assert_allclose(rates.rate_rps, counted.rate_rps * 300)
