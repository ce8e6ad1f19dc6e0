"""Chunks, the grid and the fleet's arrays, against a server that is a plain function."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import SourceAnswerError, SourceRefused
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource
from forecaster.traffic.prometheus.source import _SAMPLES_PER_REQUEST

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUERY = FleetQuery("sum by (namespace, deployment) (rate(requests[1m]))")


def workload(name="api", namespace="cup", **more):
    return {"namespace": namespace, "deployment": name, **more}


class Server:
    """Evaluates like a metrics server: ``series`` maps labels to a function of Unix time.

    ``refuse`` looks at the number of evaluations of a request and gives an error text or None;
    ``early`` and ``late`` add that many points, of value -1, before the start and after the end, as
    a server may that aligns ranges in its own way.
    """

    def __init__(self, *series, refuse=lambda _points: None, early=0, late=0):
        self.series = series
        self.refuse = refuse
        self.early, self.late = early, late
        self.sizes = []
        self.returned = []

    def __call__(self, request):
        form = dict(parse_qsl(request.content.decode()))
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        points = round((end - start) / step) + 1
        error = self.refuse(points)
        if error is not None:
            return httpx.Response(400, json={"status": "error", "error": error})
        self.sizes.append(points)
        times = [start + i * step for i in range(points)]
        before = [[start - (i + 1) * step, "-1"] for i in reversed(range(self.early))]
        after = [[end + (i + 1) * step, "-1"] for i in range(self.late)]
        result = []
        for labels, value in self.series:
            values = [[t, str(value(t))] for t in times if value(t) is not None]
            if values:
                result.append({"metric": labels, "values": before + values + after})
        self.returned.append(sum(len(one["values"]) for one in result))
        data = {"resultType": "matrix", "result": result}
        return httpx.Response(200, json={"status": "success", "data": data})


def source_of(server, query=QUERY, workloads=None, **options):
    connection = PrometheusConnection("http://prometheus:9090", **options)
    transport = httpx.MockTransport(server)
    return PrometheusSource(connection, query, workloads=workloads, transport=transport)


@settings(deadline=None, max_examples=40)
@given(
    offset_seconds=st.integers(0, 10**9),
    steps=st.integers(1, 500),
    step_seconds=st.sampled_from([0.25, 1, 15, 60, 300]),
    points=st.integers(1, 400),
    limit=st.integers(1, 400),
    early=st.integers(0, 3),
    late=st.integers(0, 3),
)
def test_every_step_is_asked_once_whatever_the_chunks(
    offset_seconds, steps, step_seconds, points, limit, early, late
):
    """The value at t is t itself: any duplicate, loss or shift shows."""
    step = timedelta(seconds=step_seconds)
    start = EPOCH + (timedelta(seconds=offset_seconds) // step) * step
    server = Server(
        (workload(), lambda t: repr(t)),
        refuse=lambda n: "exceeded maximum resolution of 400 points" if n > limit else None,
        early=early,
        late=late,
    )
    with source_of(server, max_points_per_query=points) as source:
        fetched = source.fetch(start, start + steps * step, step)

    ends = (start.timestamp() + (1 + np.arange(steps)) * step_seconds).tolist()
    assert fetched.history["cup/api"].rate_rps.tolist() == ends
    assert fetched.history["cup/api"].start == start
    assert sum(server.sizes) == steps
    assert max(server.sizes) <= min(points, limit)


def test_the_first_request_is_small_and_the_next_ones_are_sized_by_the_number_of_series():
    fleet = [(workload(f"w{i:03d}"), lambda t: t % 7) for i in range(100)]
    server = Server(*fleet)
    with source_of(server) as source:
        fetched = source.fetch(START, START + 7200 * MINUTE, MINUTE)

    assert len(fetched.history) == 100
    assert server.sizes[:2] == [240, 1920]
    assert max(server.sizes) == _SAMPLES_PER_REQUEST // 100
    assert max(server.returned) <= _SAMPLES_PER_REQUEST
    assert sum(server.sizes) == 7200


def test_progress_counts_steps_up_to_all_of_them():
    seen = []
    with source_of(Server((workload(), lambda _t: 1.0)), max_points_per_query=1000) as source:
        source.fetch(START, START + 3000 * MINUTE, MINUTE, progress=lambda *at: seen.append(at))

    assert seen == [(240, 3000), (1240, 3000), (2240, 3000), (3000, 3000)]


def test_a_limit_once_met_is_kept_for_the_next_fetch_and_noticed_once():
    server = Server(
        (workload(), lambda _t: 1.0),
        refuse=lambda n: "exceeded maximum resolution of 60 points" if n > 60 else None,
    )
    with source_of(server) as source:
        first = source.fetch(START, START + 500 * MINUTE, MINUTE)
        assert len(first.warnings) == 2  # 240 → 120 → 60
        assert "asking for 120 steps at a time" in first.warnings[0]
        assert "asking for 60 steps at a time" in first.warnings[1]
        second = source.fetch(START, START + 500 * MINUTE, MINUTE)
    assert second.warnings == ()
    assert not np.isnan(second.history["cup/api"].rate_rps).any()


def test_a_limit_that_even_one_step_exceeds_is_an_error():
    server = Server(refuse=lambda _n: "too many samples in the subquery")
    with source_of(server) as source, pytest.raises(SourceRefused, match="refused the range"):
        source.fetch(START, START + 500 * MINUTE, MINUTE)


def test_workloads_that_come_and_go_are_aligned_to_the_start_that_was_asked_for():
    first, end = START.timestamp(), START.timestamp() + 60 * 2000
    server = Server(
        (workload("steady"), lambda t: t),
        (workload("young"), lambda t: t if t > first + 60 * 1900 else None),
        (workload("removed"), lambda t: t if t <= first + 60 * 50 else None),
        (workload("silent"), lambda _t: math.nan),
    )
    with source_of(server, max_points_per_query=100) as source:
        fetched = source.fetch(START, START + 2000 * MINUTE, MINUTE)

    assert fetched.history.ids == ("cup/removed", "cup/steady", "cup/young")
    bounds = {one.series_id: one.observed_bounds() for one in fetched.history}
    assert bounds == {
        "cup/removed": (0, 50),
        "cup/steady": (0, 2000),
        "cup/young": (1900, 2000),
    }
    assert {(one.start, len(one)) for one in fetched.history} == {(START, 2000)}
    assert fetched.history["cup/young"].rate_rps[-1] == end


def test_a_label_that_changes_between_chunks_is_one_label_too_many():
    change = START.timestamp() + 60 * 500
    server = Server(
        (workload(version="v1"), lambda t: 1.0 if t <= change else None),
        (workload(version="v2"), lambda t: 1.0 if t > change else None),
    )
    source = source_of(server, max_points_per_query=100)
    with source, pytest.raises(SourceAnswerError) as caught:
        source.fetch(START, START + 1000 * MINUTE, MINUTE)
    assert 'version="v1"' in str(caught.value)
    assert 'version="v2"' in str(caught.value)
    assert "sum by (namespace, deployment)" in str(caught.value)


def test_the_same_labels_twice_in_one_answer_are_two_results():
    server = Server((workload(), lambda _t: 1.0), (workload(), lambda _t: 2.0))
    with source_of(server) as source, pytest.raises(SourceAnswerError, match="two results"):
        source.fetch(START, START + 10 * MINUTE, MINUTE)


def test_other_labels_can_name_the_workload():
    query = FleetQuery("…", name_label="app", default_namespace="tv")
    server = Server(({"app": "player"}, lambda _t: 2.5))
    with source_of(server, query) as source:
        fetched = source.fetch(START, START + 3 * MINUTE, MINUTE)
    assert fetched.history["tv/player"].rate_rps.tolist() == [2.5, 2.5, 2.5]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(math.inf, "cup/api at 1998-04-30T21:34:00Z: the query gives inf", id="inf"),
        pytest.param(-math.inf, "the query gives -inf", id="minus inf"),
        pytest.param(-0.25, "the query gives -0.25, and traffic cannot be", id="negative"),
    ],
)
def test_a_value_that_is_no_traffic_is_named_with_workload_and_instant(value, words):
    bad = START.timestamp() + 60 * 4
    server = Server((workload(), lambda t: value if t == bad else 1.0))
    with source_of(server) as source, pytest.raises(SourceAnswerError) as caught:
        source.fetch(START, START + 10 * MINUTE, MINUTE)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("first", "last", "starts"),
    [
        pytest.param(0, 1000, [], id="whole"),
        pytest.param(9, 991, [], id="a few steps"),
        pytest.param(400, 1000, ["no data before 1998-05-01T04:10:00Z"], id="young"),
        pytest.param(0, 600, ["no data after 1998-05-01T07:30:00Z"], id="stopped"),
        pytest.param(
            10,
            990,
            ["no data before 1998-04-30T21:40:00Z", "no data after 1998-05-01T14:00:00Z"],
            id="both",
        ),
    ],
)
def test_data_that_end_early_at_either_side_are_noticed(first, last, starts):
    t0 = START.timestamp()
    server = Server((workload(), lambda t: 1.0 if first < (t - t0) / 60 <= last else None))
    with source_of(server, max_points_per_query=77) as source:
        fetched = source.fetch(START, START + 1000 * MINUTE, MINUTE)

    assert [text.split(": ")[0] for text in fetched.warnings] == starts
    assert fetched.history["cup/api"].observed_bounds() == (first, last)


def test_a_range_without_a_whole_step_asks_nothing():
    server = Server()
    with source_of(server) as source:
        fetched = source.fetch(START + MINUTE / 2, START + MINUTE, MINUTE)
    assert fetched.history is None
    assert "no whole step of 1m lies between" in fetched.warnings[0]
    assert server.sizes == []


def test_instants_without_a_zone_are_refused():
    with source_of(Server()) as source, pytest.raises(ValueError, match="no time zone"):
        source.fetch(START.replace(tzinfo=None), START, MINUTE)


def fetch_for(*workloads, of, steps=10, query=QUERY, **options):
    with source_of(Server(*of), query, frozenset(workloads), **options) as source:
        return source.fetch(START, START + steps * MINUTE, MINUTE)


def test_what_nobody_asked_for_is_left_out_unseen_and_each_series_counted_once():
    fetched = fetch_for(
        "cup/api",
        of=[
            (workload(), lambda _t: 2.0),
            (workload("infinite"), lambda _t: math.inf),
            (workload("negative"), lambda _t: -1.0),
            (workload("twice", version="v1"), lambda _t: 1.0),
            (workload("twice", version="v2"), lambda _t: 1.0),
            ({"namespace": "cup"}, lambda _t: 1.0),
            ({"namespace": "", "pod": "x"}, lambda _t: math.inf),
            ({"deployment": "api"}, lambda _t: 1.0),
        ],
        steps=100,
        max_points_per_query=10,  # ten answers with each of them
    )
    assert fetched.history.ids == ("cup/api",)
    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0] * 100
    assert fetched.left_out == (
        "4 series of other workloads were left out",
        "2 series without the label 'deployment' were left out",
        "1 series without the label 'namespace' was left out",
    )
    assert fetched.others == ("cup/infinite", "cup/negative", "cup/twice")
    assert (fetched.warnings, fetched.refused) == ((), {})


BAD = START.timestamp() + 60 * 4


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        pytest.param(
            [(workload("bad"), lambda t: math.inf if t == BAD else 1.0)],
            "cup/bad at 1998-04-30T21:34:00Z: the query gives inf",
            id="inf",
        ),
        pytest.param(
            [(workload("bad"), lambda t: -0.25 if t == BAD else 1.0)],
            "the query gives -0.25, and traffic cannot be",
            id="negative",
        ),
        pytest.param(
            [
                (workload("bad", version="v1"), lambda _t: 1.0),
                (workload("bad", version="v2"), lambda _t: 1.0),
            ],
            'two results of the query are the workload cup/bad: {deployment="bad", namespace="cup"',
            id="two series",
        ),
        pytest.param(
            [
                (workload("bad", version="v1"), lambda t: 1.0 if t <= BAD else None),
                (workload("bad", version="v2"), lambda t: 1.0 if t > BAD else None),
            ],
            'version="v2"} and {deployment="bad", namespace="cup", version="v1"}',
            id="another series later",
        ),
    ],
)
def test_a_series_that_cannot_be_used_costs_its_own_workload_alone(bad, words):
    healthy = (workload(), lambda _t: 2.0)
    fetched = fetch_for("cup/api", "cup/bad", of=[*bad, healthy], max_points_per_query=2)
    assert fetched.history.ids == ("cup/api",)
    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0] * 10
    assert list(fetched.refused) == ["cup/bad"]
    assert words in fetched.refused["cup/bad"]
    assert fetched.warnings == ()

    alone = fetch_for("cup/api", "cup/bad", of=bad, max_points_per_query=2)
    assert alone.history is None
    assert (alone.refused, alone.warnings) == (fetched.refused, ())


def test_native_histograms_cost_their_own_workload_alone():
    histogram = {"metric": workload("bad"), "histograms": [[BAD, {"count": "1", "sum": "1"}]]}
    healthy = {"metric": workload(), "values": [[BAD, "2"]]}

    def server(_request):
        data = {"resultType": "matrix", "result": [histogram, healthy]}
        return httpx.Response(200, json={"status": "success", "data": data})

    for configured in ({"cup/api", "cup/bad"}, {"cup/api"}):
        with source_of(server, workloads=frozenset(configured)) as source:
            fetched = source.fetch(START, START + 10 * MINUTE, MINUTE)
        assert fetched.history.ids == ("cup/api",)
        assert set(fetched.refused) == configured - {"cup/api"}
        assert all("histogram_count(" in reason for reason in fetched.refused.values())


def test_where_none_is_a_configured_workload_that_is_said_with_what_there_is():
    fetched = fetch_for("cup/api", of=[(workload("app"), lambda _t: 1.0)])
    assert fetched.history is None
    (told,) = fetched.warnings
    assert told.startswith("the query matched no configured workload: asked for 1998-04-30T21:30")
    assert told.endswith("; 1 series of other workloads was left out")
    assert fetched.others == ("cup/app",)
