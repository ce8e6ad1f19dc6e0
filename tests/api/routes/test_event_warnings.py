"""What whoever makes an event is told of it, over HTTP; nothing of it refuses the event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.event_schemas import EventWarningView
from forecaster.planning.capacity import ScalingRule
from forecaster.planning.snapshot import WorkloadState
from forecaster.settings import EventSettings, Fleet, WorkloadSettings
from forecaster.store import PlanStore
from forecaster.worker.programme import Programme
from tests.api.plans import NOW, snapshot
from tests.api.service import Service, serving

WRITE = {"Authorization": "Bearer w"}
RULES = {
    "streaming/player-api": ScalingRule(25, max_replicas=60),
    "streaming/manifest": ScalingRule(25, max_replicas=100),
    "ads/breaks": ScalingRule(10, max_replicas=60),
}
SHOW = {
    "id": "final",
    "start": "1998-06-10T19:00:00Z",
    "end": "1998-06-10T21:00:00Z",
    "kind": "live-show",
    "uplift": 2.0,
}


@pytest.fixture
def programme(tmp_path: Path) -> Programme:
    PlanStore(tmp_path / "s.sqlite").close()
    labels = {"ads/breaks": {"tier": "edge"}}
    fleet = Fleet(
        tuple(
            WorkloadSettings(*name.split("/"), rule, labels.get(name, {}))
            for name, rule in RULES.items()
        )
    )
    made = Programme(EventSettings(), fleet, tmp_path / "s.sqlite", lambda: NOW)
    made.load(NOW)
    return made


@pytest.fixture
def service(programme: Programme) -> Iterator[Service]:
    states = [WorkloadState(*name.split("/"), rule) for name, rule in RULES.items()]
    with serving(snapshot(*states), events=programme, events_tokens=("w",)) as running:
        running.client.headers.update(WRITE)
        yield running


def post(service: Service, **changes: Any) -> list[dict[str, Any]]:
    answer = service.client.post("/v1/events", json={**SHOW, **changes})
    assert answer.status_code == 201, answer.text
    warnings: list[dict[str, Any]] = answer.json()["warnings"]
    return warnings


def codes(warnings: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in warnings]


def test_an_event_that_does_all_it_says_is_told_nothing(service: Service) -> None:
    assert post(service, floor={"replicas": 60}) == []


def test_a_floor_above_a_maximum_is_told_with_the_workload_and_both_numbers(
    service: Service,
) -> None:
    of_player, of_breaks = post(service, floor={"replicas": 80})
    assert of_player == {
        "code": "floor_above_max",
        "message": "its floor is 80 replicas, and streaming/player-api gets 60, its max_replicas",
        "workload": "streaming/player-api",
        "floor": 80,
        "max_replicas": 60,
    }
    assert (of_breaks["workload"], of_breaks["max_replicas"]) == ("ads/breaks", 60)


def test_a_floor_of_traffic_is_told_in_each_workloads_own_replicas(service: Service) -> None:
    """1,000 a second are 40 replicas of 25, and 100 of 10."""
    (told,) = post(service, floor={"traffic": 1000})
    assert (told["workload"], told["floor"], told["max_replicas"]) == ("ads/breaks", 100, 60)


def test_a_workload_that_is_not_selected_is_not_told_of(service: Service) -> None:
    selector = {"workloads": ["streaming/manifest"]}
    assert post(service, floor={"replicas": 80}, selector=selector) == []
    edge = {"labels": {"tier": "edge"}}
    (told,) = post(service, id="edge", floor={"replicas": 80}, selector=edge)
    assert told["workload"] == "ads/breaks"


def test_a_patch_is_told_what_it_makes_wrong_and_not_what_it_puts_right(service: Service) -> None:
    assert post(service) == []
    path = "/v1/events/final"
    changed = service.client.patch(path, json={"floor": {"replicas": 99}})
    assert changed.status_code == 200
    assert codes(changed.json()["warnings"]) == ["floor_above_max"] * 2
    assert service.client.get(path).json() == changed.json()
    sent_back = service.client.put(path, json=changed.json() | {"floor": {"replicas": 60}})
    assert (sent_back.status_code, sent_back.json()["warnings"]) == (200, [])


def test_a_selector_that_matches_nothing_is_told(service: Service) -> None:
    (told,) = post(service, selector={"namespaces": ["streeming"]}, floor={"replicas": 999})
    assert told["code"] == "selects_nothing"
    assert "its selector matches none of the workloads" in told["message"]
    assert told["workload"] is None


def test_an_event_that_is_over_is_told_and_its_floor_does_not_matter_any_more(
    service: Service,
) -> None:
    past = {"start": "1998-06-09T19:00:00Z", "end": "1998-06-09T21:00:00Z", "uplift": None}
    (told,) = post(service, **past, floor={"replicas": 999})
    assert told["code"] == "over"
    assert "since 1998-06-09 21:00 UTC" in told["message"]


def test_an_event_that_goes_on_is_not_over(service: Service) -> None:
    assert post(service, start="1998-06-10T15:00:00Z") == []


def test_a_kind_never_seen_is_told_until_one_of_it_is_over(
    service: Service, programme: Programme
) -> None:
    (told,) = post(service, uplift=None)
    assert told["code"] == "unknown_kind"
    assert "the kind live-show" in told["message"]
    assert "its floor counts all the same" not in told["message"]
    (told,) = post(service, id="with-floor", uplift=None, floor={"replicas": 9})
    assert "its floor counts all the same" in told["message"]
    past = {"start": "1998-06-09T19:00:00Z", "end": "1998-06-09T21:00:00Z"}
    post(service, id="before", **past)
    assert codes(post(service, id="too-soon", uplift=None)) == ["unknown_kind"]
    assert programme.look(NOW + timedelta(seconds=1))
    assert post(service, id="third", uplift=None) == []
    assert codes(post(service, id="other", uplift=None, kind="match")) == ["unknown_kind"]


def test_a_declared_shape_is_an_uplift(service: Service) -> None:
    shape = {"-5m": 1, "2m": 5, "90m": 5, "95m": 1}
    assert post(service, uplift=None, shape=shape) == []


def test_a_cancelled_event_is_told_nothing(service: Service) -> None:
    post(service, floor={"replicas": 99})
    cancelled = service.client.patch("/v1/events/final", json={"cancelled": True})
    assert cancelled.json()["warnings"] == []


def test_twenty_floors_are_told_and_how_many_more_there_are(service: Service) -> None:
    states = [WorkloadState("s", f"w{n:02}", ScalingRule(25, max_replicas=9)) for n in range(23)]
    service.desk.snapshot = snapshot(*states)
    told = post(service, floor={"replicas": 10})
    assert [one["workload"] for one in told] == [*(f"s/w{n:02}" for n in range(20)), None]
    assert told[-1]["message"] == "and so for 3 more workloads"
    assert told[-1]["code"] == "floor_above_max"


def test_openapi_knows_the_warnings_of_every_change(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert set(EventWarningView.model_fields) == set(schemas["EventWarningView"]["properties"])
    view = {**schemas["ToldEventView"], "components": document["components"]}
    answer = service.client.post("/v1/events", json={**SHOW, "floor": {"replicas": 99}})
    assert answer.json()["warnings"]
    jsonschema.Draft202012Validator(view).validate(answer.json())
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/events"):
            continue
        for method, operation in operations.items():
            for status in operation["responses"].keys() & {"200", "201"}:
                (content,) = operation["responses"][status]["content"].values()
                called = content["schema"]["$ref"].rpartition("/")[2]
                listed = (path, method) == ("/v1/events", "get")
                assert called == ("EventsView" if listed else "ToldEventView")
