"""Ready replicas and saturation of a fleet, by two questions over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from forecaster.errors import SourceRefused
from forecaster.settings import CapacitySettings, PrometheusSettings
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection
from forecaster.worker.capacity_source import CapacitySource, fetch_replicas_and_saturation
from tests.cli.metrics_server import evaluating, refusing
from tests.traffic.stand_in import serving

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CAPACITY = CapacitySettings(0.7, FleetQuery("ready"), FleetQuery("busy"))
SPAN = (START, START + 3 * MINUTE, MINUTE)
API = {"namespace": "tv", "deployment": "api"}
WEB = {"namespace": "tv", "deployment": "web"}


def settings(url, **more):
    return PrometheusSettings(PrometheusConnection(url, **more), FleetQuery("traffic"))


def answering(**series):
    return lambda asked: evaluating(*series[asked.form["query"]])(asked)


def test_both_come_by_workload():
    with serving() as server:
        server.answer = answering(
            ready=[(API, lambda _: 4.0), (WEB, lambda _: 2.0)], busy=[(API, lambda _: 0.5)]
        )
        found = fetch_replicas_and_saturation(
            settings(server.url), CAPACITY, ["tv/api", "tv/web"], *SPAN
        )
        assert [one.form["query"] for one in server.asked] == ["ready", "busy"]
    replicas, saturation = found.of("tv/api")
    assert replicas.rate_rps.tolist() == [4, 4, 4]
    assert saturation.rate_rps.tolist() == [0.5, 0.5, 0.5]
    assert found.of("tv/web")[1] is None
    assert found.of("tv/none") == (None, None)


def test_what_cannot_be_used_costs_its_workload_alone():
    with serving() as server:
        server.answer = answering(
            ready=[(API, lambda _: 4.0), (WEB, lambda _: 2.0)],
            busy=[(API, lambda _: 0.5), (WEB, lambda _: float("inf"))],
        )
        found = fetch_replicas_and_saturation(
            settings(server.url), CAPACITY, ["tv/api", "tv/web"], *SPAN
        )
    assert set(found.refused) == {"tv/web"}
    assert found.refused["tv/web"].startswith("saturation: tv/web")
    assert found.of("tv/api")[1] is not None


def test_nothing_is_a_warning_that_names_the_question():
    with serving() as server:
        server.answer = answering(ready=[(API, lambda _: 4.0)], busy=[])
        found = fetch_replicas_and_saturation(settings(server.url), CAPACITY, ["tv/api"], *SPAN)
    assert any(text.startswith("saturation: the query matched nothing") for text in found.warnings)


def test_a_refusal_of_the_server_is_an_error():
    with serving() as server:
        server.answer = refusing(400, "parse error")
        with pytest.raises(SourceRefused, match="parse error"):
            fetch_replicas_and_saturation(settings(server.url), CAPACITY, ["tv/api"], *SPAN)


def test_without_queries_there_is_nothing_to_ask():
    with pytest.raises(ValueError, match=r"capacity\.replicas_query"):
        CapacitySource(settings("http://127.0.0.1:9"), CapacitySettings(), ["tv/api"])
