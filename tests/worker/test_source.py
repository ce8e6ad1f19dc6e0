"""The source of the settings, over a real HTTP server that asks for a token."""

import json
import pickle
from datetime import timedelta

import pytest

from forecaster.errors import SourceRefused, SourceUnavailable
from forecaster.settings import FileSettings, PrometheusSettings
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection
from forecaster.worker import ConfiguredSource, FixedSource
from tests.traffic.stand_in import serving
from tests.worker.sources import MINUTE, NOW, TraceSource, fleet, moved_trace, write_traffic_file

LAST = NOW.timestamp()
SEVENS = {
    "metric": {"namespace": "tv", "deployment": "api"},
    "values": [[LAST - 120, "7"], [LAST - 60, "7"], [LAST, "7"]],
}
DATA = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [SEVENS]}})


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def make_fetch(url, attempts=4, **files):
    settings = PrometheusSettings(
        PrometheusConnection(url, bearer_token="first", max_attempts=attempts),
        FleetQuery("up"),
        **files,
    )
    return pickle.loads(pickle.dumps(ConfiguredSource(settings, ("tv/api",))))()


def guarded(valid):
    """Traffic for whoever brings the token, and 401 for others."""

    def answer(asked):
        if asked.headers.get("authorization") == f"Bearer {valid}":
            return 200, {}, DATA
        return 401, {}, json.dumps({"status": "error", "error": "who are you?"})

    return answer


def test_a_rotated_token_is_used_at_the_next_question(token):
    with serving() as server:
        fetch = make_fetch(server.url, bearer_token_file=token)
        server.answer = guarded("first")
        known = fetch(NOW - 3 * MINUTE, NOW, MINUTE).history
        assert known["tv/api"].rate_rps.tolist() == [7, 7, 7]
        server.answer = guarded("second")
        with pytest.raises(SourceRefused, match="who are you"):
            fetch(NOW - 3 * MINUTE, NOW, MINUTE)
        token.write_text("second\n")
        assert fetch(NOW - 3 * MINUTE, NOW, MINUTE).history is not None


def test_a_token_file_that_is_gone_is_a_refusal_without_a_question(token):
    with serving() as server:
        fetch = make_fetch(server.url, bearer_token_file=token)
        token.unlink()
        with pytest.raises(SourceRefused, match="token cannot be read: No such file"):
            fetch(NOW - MINUTE, NOW, MINUTE)
        assert server.asked == []


def test_a_file_is_found_by_its_settings(tmp_path):
    path = tmp_path / "traffic.csv.gz"
    write_traffic_file(path, moved_trace("x", NOW, 1))
    factory = ConfiguredSource(FileSettings(path, "requests"), ("tv/api",))
    fetch = pickle.loads(pickle.dumps(factory))()
    fetched = fetch(NOW - timedelta(hours=1), NOW, timedelta(minutes=5))
    assert fetched.history.ids == ("tv/api",)


def test_a_foreign_series_that_is_no_traffic_does_not_touch_the_configured_workload():
    foreign = [
        {"metric": {"namespace": "other", "deployment": "foreign"}, "values": [[LAST, "+Inf"]]},
        {"metric": {"namespace": "other"}, "values": [[LAST, "+Inf"]]},
    ]
    data = {"resultType": "matrix", "result": [*foreign, SEVENS]}
    with serving() as server:
        server.answers((200, {}, json.dumps({"status": "success", "data": data})))
        fetched = make_fetch(server.url)(NOW - 3 * MINUTE, NOW, MINUTE)
    assert fetched.history.ids == ("tv/api",)
    assert fetched.history["tv/api"].rate_rps.tolist() == [7, 7, 7]
    assert fetched.others == ("other/foreign",)


def test_the_first_failed_attempt_of_all_is_logged_and_told_while_it_is_tried_again(caplog):
    told, busy = [], (503, {"retry-after": "0"}, "starting")
    with serving() as server:
        fetch = make_fetch(server.url)
        fetch.first_failure = told.append
        server.answers(busy, busy, (200, {}, DATA), busy, (200, {}, DATA))
        for _ in range(2):  # the second question comes from somebody who knows the source
            assert fetch(NOW - 3 * MINUTE, NOW, MINUTE).history is not None
    assert len(server.asked) == 5
    assert ["HTTP 503" in str(failure) for failure in told] == [True]
    (line,) = caplog.records
    assert (line.levelname, line.message) == ("WARNING", "traffic source")
    assert "HTTP 503" in line.error


def test_where_nothing_is_tried_again_the_failure_is_told_by_the_answer_alone(caplog):
    told = []
    with serving() as server:
        fetch = make_fetch(server.url, attempts=1)
        fetch.first_failure = told.append
        server.answers((503, {}, "starting"))
        with pytest.raises(SourceUnavailable, match="starting"):
            fetch(NOW - 3 * MINUTE, NOW, MINUTE)
    assert told == caplog.records == []


def test_another_fleet_finds_its_own_workloads_and_a_fixed_source_stays_as_it_is():
    other = fleet("tv/login", "ads/page")
    file = FileSettings("traffic.csv", "requests")
    configured = ConfiguredSource(file, ("tv/api",)).for_fleet(other)
    assert configured == ConfiguredSource(file, ("tv/login", "ads/page"))
    fixed = FixedSource(TraceSource(("tv/api",)))
    assert fixed.for_fleet(other) is fixed
    assert pickle.loads(pickle.dumps(fixed)) == fixed
    assert fixed() == fixed.make.fetch
