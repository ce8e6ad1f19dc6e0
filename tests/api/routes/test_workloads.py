from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from forecaster.planning.capacity import Mode
from forecaster.planning.snapshot import ObservedTraffic, WorkloadState
from tests.api.plans import NOW, START, live, snapshot, state, with_mode
from tests.api.service import Service

FORECAST = "/v1/workloads/streaming/player-api/forecast"


def test_every_workload_is_listed_with_all_that_is_known(steady: Service) -> None:
    body = steady.client.get("/v1/workloads").json()
    target = steady.desk.snapshot.target("streaming/player-api", NOW)
    names = [(one["namespace"], one["name"]) for one in body["workloads"]]
    assert names == [("streaming", "player-api"), ("streaming", "chat"), ("ads", "breaks")]
    assert body["notices"] == []
    assert body["workloads"][0] == {
        "namespace": "streaming",
        "name": "player-api",
        "mode": "active",
        "rule": {
            "capacity_rps": 25.0,
            "lead_time_seconds": 300.0,
            "quantile": 0.98,
            "min_replicas": 2,
            "max_replicas": 60,
            "hold_down_seconds": 0.0,
        },
        "target": {
            "replicas": target.replicas,
            "planned_replicas": target.planned_replicas,
            "source": "outlook",
            "reasons": list(target.reasons),
            "valid_until": "1998-06-10T15:30:00Z",
        },
        "reason": None,
        "notices": [],
        "observed": {"start": "1998-06-10T15:28:00Z", "rate_rps": 812.25},
        "lead_peak": None,
        "plan": {
            "made_at": "1998-06-10T00:00:00Z",
            "start": "1998-06-10T00:00:00Z",
            "end": "1998-06-11T23:55:00Z",
            "model": "hindsight",
        },
        "training": {
            "trained_at": "1998-06-10T00:00:03Z",
            "seconds": 2.5,
            "runs": 4,
            "failures": 1,
            "last_error": None,
        },
        "cluster": None,
    }


def test_the_lead_peak_is_listed_with_who_spoke(service: Service) -> None:
    service.desk.snapshot = snapshot(replace(state("a/b"), live=live()))
    (one,) = service.client.get("/v1/workloads").json()["workloads"]
    assert (one["target"]["source"], one["target"]["replicas"]) == ("lead_peak", 41)
    assert one["lead_peak"]["peak_rps"] == 1000.5


def test_a_workload_without_a_plan_says_why(steady: Service) -> None:
    _, chat, breaks = steady.client.get("/v1/workloads").json()["workloads"]
    assert chat["target"] is None and chat["plan"] is None and chat["observed"] is None
    assert chat["reason"] == "streaming/chat: not trained yet"
    assert breaks["reason"] == "ads/breaks: 20 h of traffic are known, 24 h are needed"


def test_an_ended_plan_is_shown_with_the_reason_why_it_gives_no_target(service: Service) -> None:
    service.desk.now = START + timedelta(days=3)
    player = service.client.get("/v1/workloads").json()["workloads"][0]
    assert player["plan"]["end"] == "1998-06-11T23:55:00Z"
    assert player["target"] is None
    assert "covers 1998-06-10 00:00 UTC to 1998-06-11 23:55 UTC" in player["reason"]


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_shadow_and_off_are_listed_with_0_replicas(service: Service, mode: Mode) -> None:
    service.desk.snapshot = snapshot(state("a/b", with_mode(mode)), notices=("read-only",))
    body = service.client.get("/v1/workloads").json()
    (one,) = body["workloads"]
    assert one["mode"] == mode.value
    assert one["target"]["replicas"] == 0
    assert (one["target"]["planned_replicas"] > 0) is (mode is Mode.SHADOW)
    assert body["notices"] == ["read-only"]


def test_no_workloads_are_an_empty_list(service: Service) -> None:
    service.desk.snapshot = snapshot()
    assert service.client.get("/v1/workloads").json() == {"workloads": [], "notices": []}


def test_traffic_that_is_no_number_is_null(service: Service) -> None:
    odd = WorkloadState("a", "b", with_mode(Mode.OFF), observed=ObservedTraffic(NOW, math.nan))
    service.desk.snapshot = snapshot(odd)
    (one,) = service.client.get("/v1/workloads").json()["workloads"]
    assert one["observed"]["rate_rps"] is None


def test_the_forecast_is_the_outlook_and_the_plan_as_columns(steady: Service) -> None:
    body = steady.client.get(FORECAST).json()
    plan = steady.desk.snapshot.state("streaming/player-api").plan
    assert plan is not None
    assert body["step_seconds"] == 60.0
    assert body["unit"] == "requests per second"
    assert body["cutoff"] == body["plan_start"] == "1998-06-10T00:00:00Z"
    assert body["plan_end"] == "1998-06-11T23:55:00Z"
    assert (body["model"], body["reasons"]) == ("hindsight", ["chosen over nothing"])
    assert (body["capacity_rps"], body["quantile"], body["mode"]) == (25.0, 0.98, "active")
    stamps = [datetime.fromisoformat(text) for text in body["timestamps"]]
    assert stamps == [START + timedelta(minutes=minute) for minute in range(2 * 24 * 60)]
    assert set(body["quantiles"]) == {"0.5", "0.98"}
    assert body["quantiles"]["0.5"] == plan.outlook.at(0.5).tolist()
    assert body["quantiles"]["0.98"] == plan.outlook.at(0.98).tolist()
    assert body["needed"] == [*plan.needed.tolist(), *[None] * 5]
    assert body["replicas"] == [*plan.replicas.tolist(), *[None] * 5]


def test_quantiles_and_a_range_can_be_chosen(steady: Service) -> None:
    query = {
        "quantiles": "0.95,0.6",
        "from": "1998-06-10T17:30:30+02:00",
        "to": "1998-06-10T15:32:00.001Z",
    }
    body = steady.client.get(FORECAST, params=query).json()
    plan = steady.desk.snapshot.state("streaming/player-api").plan
    assert plan is not None
    assert body["timestamps"] == [f"1998-06-10T15:{minute}:00Z" for minute in (30, 31, 32)]
    first = 15 * 60 + 30
    assert list(body["quantiles"]) == ["0.95", "0.6"]
    assert body["quantiles"]["0.6"] == plan.outlook.at(0.6)[first : first + 3].tolist()
    assert body["needed"] == plan.needed[first : first + 3].tolist()


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ({"from": "2030-01-01T00:00:00Z"}, 0),
        ({"to": "1990-01-01T00:00:00Z"}, 0),
        ({"from": "1990-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}, 2880),
        ({"from": "1998-06-11T23:54:00Z"}, 6),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, 2880),
    ],
)
def test_a_range_is_cut_to_what_there_is(
    steady: Service, query: dict[str, str], steps: int
) -> None:
    body = steady.client.get(FORECAST, params=query).json()
    for column in (body["timestamps"], body["needed"], body["replicas"], body["quantiles"]["0.5"]):
        assert len(column) == steps


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"quantiles": "0.5;0.9"}, "quantiles", "'0.5;0.9' is not a number"),
        ({"quantiles": ""}, "quantiles", "'' is not a number"),
        ({"quantiles": "nan"}, "quantiles", "outside of the outlook's 0.02 to 0.99"),
        ({"quantiles": "0.5,0.999"}, "quantiles", "0.999 is outside of the outlook's"),
        ({"quantiles": ",".join(f"0.{n}" for n in range(10, 40))}, "quantiles", "more than 20"),
        ({"from": "yesterday"}, "from", "'yesterday' is not an instant"),
        ({"from": "2026-05-01T18:00:00"}, "from", "has no time zone"),
        ({"to": "2026-05-01"}, "to", "has no time zone"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "to", "outside of the calendar"),
        (
            {"from": "2026-05-01T18:00:00Z", "to": "2026-05-01T18:00:00Z"},
            "to",
            "not later than from",
        ),
    ],
)
def test_a_query_that_cannot_be_used_names_the_field_and_shows_one_that_can(
    steady: Service, query: dict[str, str], field: str, says: str
) -> None:
    answer = steady.client.get(FORECAST, params=query)
    assert answer.status_code == 422
    body = answer.json()
    assert body["error"] == "invalid_query"
    (problem,) = body["problems"]
    assert problem["field"] == field
    assert says in problem["message"]
    assert says in body["reason"]
    example = problem["example"]
    path = FORECAST + "?" + (example if "=" in example else f"{field}={example}")
    assert steady.client.get(path).status_code == 200


def test_all_problems_of_a_query_are_told_at_once(steady: Service) -> None:
    answer = steady.client.get(FORECAST, params={"quantiles": "x", "from": "y", "to": "z"})
    fields = [one["field"] for one in answer.json()["problems"]]
    assert fields == ["quantiles", "from", "to"]


def test_a_forecast_without_a_workload_or_a_plan_is_404_or_503(steady: Service) -> None:
    unknown = steady.client.get("/v1/workloads/no/such/forecast")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "unknown_workload")
    waiting = steady.client.get("/v1/workloads/ads/breaks/forecast")
    assert waiting.status_code == 503
    assert waiting.headers["retry-after"] == "15"
    assert "20 h of traffic are known" in waiting.json()["reason"]


def test_a_plan_that_has_ended_can_still_be_looked_at(service: Service) -> None:
    service.desk.now = START + timedelta(days=9)
    assert service.client.get(FORECAST).status_code == 200


def test_a_quantile_that_the_outlook_cannot_give_is_left_out_by_default(service: Service) -> None:
    rule = type(with_mode(Mode.OFF))(capacity_rps=25, quantile=0.999, mode=Mode.OFF)
    planned = state("a/b")
    service.desk.snapshot = snapshot(WorkloadState("a", "b", rule, planned.plan))
    body = service.client.get("/v1/workloads/a/b/forecast").json()
    assert set(body["quantiles"]) == {"0.5", "0.98"}


def test_the_forecast_of_a_workload_that_is_off_says_that_it_is_off(service: Service) -> None:
    service.desk.snapshot = snapshot(WorkloadState("a", "b", with_mode(Mode.OFF)))
    answer = service.client.get("/v1/workloads/a/b/forecast")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "a/b: off: nothing is planned"
