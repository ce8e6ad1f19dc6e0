"""Events over HTTP: made once, found, changed, guarded, and shown over a forecast."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from api.bodies import MAX_BODY_BYTES
from forecaster.events import Calendar, Event, Selector
from forecaster.planning.capacity import ScalingRule
from forecaster.settings import EventSettings, Fleet, WorkloadSettings
from forecaster.store import PlanStore
from forecaster.worker.programme import Programme
from tests.api.plans import NOW, snapshot, state
from tests.api.service import Service, samples, serving

WRITE = {"Authorization": "Bearer w"}
KICK_OFF = datetime(1998, 6, 10, 15, 30, tzinfo=UTC)
MATCH = {
    "id": "opening",
    "start": "1998-06-10T15:30:00Z",
    "end": "1998-06-10T17:20:00Z",
    "kind": "football",
    "importance": "high",
    "name": "Brazil v Scotland",
    "selector": {"workloads": ["streaming/*"]},
}
UNKNOWN_KIND = {
    "code": "unknown_kind",
    "message": "no past event of the kind football is known and no uplift is declared, so it lifts "
    'no forecast; declare for example "uplift": 1.7',
    "workload": None,
    "floor": None,
    "max_replicas": None,
}
SOURCED = Event(
    KICK_OFF + timedelta(days=1),
    KICK_OFF + timedelta(days=1, hours=2),
    "football",
    4.0,
    "Italy v Chile",
    "uid/1",
    Selector(labels=(("tier", "edge"),)),
)
FLEET = Fleet(
    (
        WorkloadSettings("streaming", "player-api", ScalingRule(25), {"tier": "edge"}),
        WorkloadSettings("ads", "breaks", ScalingRule(25)),
    )
)


@pytest.fixture
def programme(tmp_path: Path) -> Programme:
    PlanStore(tmp_path / "s.sqlite").close()
    made = Programme(EventSettings(), FLEET, tmp_path / "s.sqlite", lambda: NOW)
    made.load(NOW)
    made.desk.take_calendar("matches", Calendar((SOURCED,)), *made.window(NOW))
    return made


@pytest.fixture
def service(programme: Programme) -> Iterator[Service]:
    states = snapshot(state("streaming/player-api"), state("ads/breaks"))
    with serving(states, events=programme, events_tokens=("w",)) as running:
        running.client.headers.update(WRITE)
        yield running


def reload(programme: Programme, path: Path) -> Programme:
    """As after a restart; the calendar is not fetched again."""
    again = Programme(EventSettings(), FLEET, path, lambda: NOW)
    again.load(NOW)
    return again


def ids(answer: httpx.Response) -> list[str]:
    return [one["id"] for one in answer.json()["events"]]


def test_an_event_is_made_found_and_outlives_a_restart(
    service: Service, programme: Programme, tmp_path: Path
) -> None:
    made = service.client.post("/v1/events", json=MATCH)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/events/opening"
    assert made.json() == {
        "id": "opening",
        "source": "rest",
        "state": "ahead",
        "kind": "football",
        "importance": 4.0,
        "name": "Brazil v Scotland",
        "start": "1998-06-10T15:30:00Z",
        "end": "1998-06-10T17:20:00Z",
        "planned_end": "1998-06-10T17:20:00Z",
        "selector": {"namespaces": [], "workloads": ["streaming/*"], "labels": {}},
        "uplift": None,
        "floor": None,
        "shape": None,
        "audience": None,
        "start_uncertainty": "0s",
        "ceiling": "6h",
        "hold": False,
        "cancelled": False,
        "overridden": False,
        "problem": None,
        "warnings": [UNKNOWN_KIND],
    }
    found = service.client.get("/v1/events/opening")
    assert found.json() == made.json()
    assert found.headers["etag"] == made.headers["etag"]
    again = reload(programme, tmp_path / "s.sqlite")
    assert again.desk.book().get("opening").event == programme.desk.book().get("opening").event


def test_an_event_without_an_id_gets_one(service: Service) -> None:
    body = {"start": "1998-06-11T10:00", "timezone": "Europe/Paris", "kind": "show"}
    made = service.client.post("/v1/events", json=body)
    assert made.json()["start"] == "1998-06-11T08:00:00Z"
    assert made.json()["end"] is None
    assert made.json()["planned_end"] == "1998-06-11T14:00:00Z"
    other = service.client.post("/v1/events", json=body)
    assert made.headers["location"] != other.headers["location"]
    assert service.client.get(made.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(MATCH, {}, id="by an id of its own"),
        pytest.param({**MATCH, "id": None}, {"Idempotency-Key": "k 1"}, id="by a key"),
    ],
)
def test_the_same_request_again_makes_no_second_event(
    service: Service, body: dict[str, Any], headers: dict[str, str]
) -> None:
    body = {key: value for key, value in body.items() if value is not None}
    first = service.client.post("/v1/events", json=body, headers=headers)
    service.client.post(first.headers["location"] + "/extend", json={"by": "15m"})
    spelled = {**body, "importance": 4, "start": "1998-06-10T17:30:00+02:00"}
    again = service.client.post("/v1/events", json=spelled, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["end"] == "1998-06-10T17:35:00Z"  # as it is by now
    assert len(ids(service.client.get("/v1/events?source=rest"))) == 1
    other = service.client.post("/v1/events", json={**body, "importance": 1}, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "conflict")


@pytest.mark.parametrize("key", [None, "k 1"])
def test_where_no_more_are_kept_a_request_made_before_still_gets_its_event(
    service: Service, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    body: dict[str, Any] = {"start": "1998-06-11T10:00Z", "kind": "show"}
    body |= {} if key else {"id": "opening"}
    headers = {"Idempotency-Key": key} if key else {}
    first = service.client.post("/v1/events", json=body, headers=headers)
    monkeypatch.setattr("forecaster.worker.event_desk.MOST_EVENTS", 1)
    again = service.client.post("/v1/events", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    for _ in range(2):  # what was refused is not taken for made
        more = {**body, "id": "another"}
        full = service.client.post("/v1/events", json=more, headers={"Idempotency-Key": "k 2"})
        assert full.status_code == 409
        assert "1 events are kept already" in full.text
    assert len(ids(service.client.get("/v1/events?source=rest"))) == 1


def test_many_at_once_with_one_key_make_one_event(service: Service) -> None:
    body = {"start": "1998-06-11T10:00Z", "kind": "show"}

    def post(_: int) -> httpx.Response:
        headers = {**WRITE, "Idempotency-Key": "one"}
        return httpx.post(service.url + "/v1/events", json=body, headers=headers, trust_env=False)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(24)))
    assert sorted(one.status_code for one in answers) == [200] * 23 + [201]
    assert len({one.json()["id"] for one in answers}) == 1


def test_put_makes_replaces_and_leaves_alone(service: Service) -> None:
    body = {key: value for key, value in MATCH.items() if key != "id"}
    made = service.client.put("/v1/events/opening", json=body)
    same = service.client.put("/v1/events/opening", json=made.json())  # as it was read
    other = service.client.put("/v1/events/opening", json={**body, "importance": "low"})
    assert [one.status_code for one in (made, same, other)] == [201, 200, 200]
    assert same.headers["etag"] == made.headers["etag"] != other.headers["etag"]
    assert other.json()["importance"] == 2
    wrong = service.client.put("/v1/events/opening", json={**body, "id": "other"})
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"kind": None}, "kind", "it is required"),
        ({"kind": ""}, "kind", "it is empty"),
        ({"start": "tomorrow"}, "start", "'tomorrow' is not a time"),
        ({"start": "1998-06-10T15:30:00"}, "start", "has no time zone"),
        ({"start": None}, "start", "it is required"),
        ({"end": "1998-06-10T15:30:00Z"}, "end", "is not after the start"),
        ({"end": "1999-06-10T15:30:00Z"}, "end", "an event lasts 31d at the longest"),
        ({"timezone": "Mars"}, "timezone", "'Mars' is not a time zone"),
        ({"importance": "huge"}, "importance", "neither a number from 0 to 100 nor one of"),
        ({"importance": 1e400}, "importance", "neither a number"),
        ({"uplift": -1}, "uplift", "out of range"),
        ({"uplift": 2, "shape": {"0m": 1, "5m": 2}}, "shape", "either a shape or an uplift"),
        ({"floor": {"replicas": -3}}, "floor.replicas", "-3 is too small"),
        ({"selector": {"workload": ["a"]}}, "selector.workload", "did you mean workloads?"),
        ({"knd": "football"}, "knd", "did you mean kind?"),
        ({"id": "a/b"}, "id", "'a/b' is no id"),
        ({"id": "../../etc"}, "id", "is no id"),
        ({"id": "matches:1"}, "id", "is no id"),
        ({"id": "x" * 129}, "id", "up to 128"),
        ({"id": 7}, "id", "7 is not text"),
        ({"ceiling": "5"}, "ceiling", "has no unit"),
        ({"state": "on"}, "state", "unknown key"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_an_example(
    service: Service, change: dict[str, Any], field: str, said: str
) -> None:
    body = {key: value for key, value in {**MATCH, **change}.items() if value is not None}
    content = json.dumps(body).replace("Infinity", "1e400")
    answer = service.client.post(
        "/v1/events", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    told = answer.json()
    assert told["error"] == "invalid_event"
    assert [one["field"] for one in told["problems"]] == [field]
    assert said in told["problems"][0]["message"]
    assert said in told["reason"]
    assert ids(service.client.get("/v1/events?source=rest")) == []


def test_all_fields_that_cannot_be_are_told_at_once(service: Service) -> None:
    answer = service.client.post("/v1/events", json={"start": "x", "importance": [], "a": 1})
    fields = [one["field"] for one in answer.json()["problems"]]
    assert fields == ["kind", "importance", "start", "a"]


def test_of_many_problems_the_first_are_told_and_how_many_more(service: Service) -> None:
    more = {f"k{number}": 1 for number in range(15_000)}
    answer = service.client.post("/v1/events", json={**MATCH, **more})
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) == 51
    assert answer.json()["problems"][-1]["message"] == "and 14,950 more problems"
    answer = service.client.post("/v1/events", json={**MATCH, "x" * 100_000: 1})
    assert answer.json()["problems"][0]["field"] == "x" * 79 + "…"
    assert len(answer.content) < 1000


def test_a_key_that_stands_twice_among_thousands_is_found_at_once(service: Service) -> None:
    keys = ",".join(f'"k{number}":1' for number in range(20_000))
    began = time.process_time()
    answer = service.client.post(
        "/v1/events",
        content=f'{{{keys},"k19999":2}}',
        headers={"Content-Type": "application/json"},
    )
    assert time.process_time() - began < 2  # counted key by key it took 15 s, and nobody was served
    assert answer.status_code == 400
    assert "'k19999' stands twice" in answer.json()["reason"]


def test_an_end_that_is_counted_beyond_the_last_year_is_refused(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    answer = service.client.patch("/v1/events/opening", json={"start": "2199-12-31T23:00:00Z"})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == ["end"]
    late = {"id": "late", "start": "2199-12-31T20:00:00Z", "end": "2199-12-31T23:00:00Z"}
    service.client.post("/v1/events", json={"kind": "a", **late})
    answer = service.client.post("/v1/events/late/extend", json={"by": "8h"})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == ["by"]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/opening/extend"])
def test_half_a_surrogate_pair_as_a_key_is_refused_like_all_else(
    service: Service, path: str
) -> None:
    service.client.post("/v1/events", json=MATCH)
    answer = service.client.post(
        path, content=rb'{"\ud800": "1"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["problems"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json; charset=utf-8", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"kind": "a", "kind": "b"}', "application/json", 400),
        (b'{"uplift": NaN}', "application/json", 400),
        (b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}', "application/json", 413),
    ],
    ids=[
        "text",
        "none",
        "form",
        "empty",
        "cut",
        "list",
        "no text",
        "deep",
        "twice",
        "NaN",
        "large",
    ],
)
def test_a_body_that_is_none_is_refused_and_the_service_goes_on(
    service: Service, content: bytes, kind: str, status: int
) -> None:
    answer = service.client.post("/v1/events", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "reason"}
    assert service.client.get("/v1/events").status_code == 200


def test_a_large_body_is_refused_before_it_is_whole(service: Service) -> None:
    """Its length is a promise of a gigabyte; the answer comes long before."""
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer w\r\n"
        f"Content-Type: application/json\r\nContent-Length: {2**30}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(head.encode() + b" " * (MAX_BODY_BYTES + 1))
        assert b" 413 " in client.recv(100)


def test_a_patch_changes_what_it_names_and_null_takes_away(service: Service) -> None:
    service.client.post("/v1/events", json={**MATCH, "uplift": 1.7})
    path = "/v1/events/opening"
    patch = {"uplift": None, "floor": {"replicas": 9}, "selector": {"namespaces": ["streaming"]}}
    kind = {"Content-Type": "application/merge-patch+json"}
    changed = service.client.patch(path, content=json.dumps(patch), headers=kind).json()
    assert (changed["uplift"], changed["floor"]) == (None, {"replicas": 9, "traffic": None})
    assert changed["selector"]["workloads"] == ["streaming/*"]
    assert changed["selector"]["namespaces"] == ["streaming"]
    assert service.client.get(path).json() == changed
    bad = service.client.patch(path, json={"end": "1998-06-10T15:00:00Z"})
    assert bad.status_code == 422
    assert bad.json()["problems"][0]["field"] == "end"
    assert service.client.get(path).json() == changed
    assert service.client.patch(path, json={"id": "x"}).status_code == 422
    assert service.client.patch(path, json={"state": "cancelled"}).status_code == 422


def test_a_start_that_moves_takes_the_end_along(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    patch = {"start": "1998-06-10T18:00", "timezone": "Europe/London"}
    moved = service.client.patch("/v1/events/opening", json=patch).json()
    assert (moved["start"], moved["end"]) == ("1998-06-10T17:00:00Z", "1998-06-10T18:50:00Z")


def test_an_event_that_goes_on_is_extended_and_cancelled(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    service.desk.now = KICK_OFF + timedelta(minutes=109)
    path = "/v1/events/opening"
    assert service.client.get(path).json()["state"] == "on"
    longer = service.client.post(path + "/extend", json={"by": "30m"})
    assert longer.json()["end"] == "1998-06-10T17:50:00Z"
    until = {"until": "1998-06-10T20:00:00+02:00"}
    assert service.client.post(path + "/extend", json=until).json()["end"] == "1998-06-10T18:00:00Z"
    service.client.patch(path, json={"cancelled": True})
    assert service.client.get(path).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "by", "exactly one of by and until"),
        ({"by": "1m", "until": "1998-06-10T20:00:00Z"}, "by", "exactly one"),
        ({"minutes": 3}, "minutes", "exactly one"),
        ({"by": 15}, "by", "is not a duration"),
        ({"by": "0s"}, "by", "must be above 0"),
        ({"by": "40d"}, "by", "40d is too long"),
        ({"by": "31d"}, "by", "31d at the longest"),
        ({"until": "1998-06-10T20:00:00"}, "until", "has no time zone"),
        ({"until": None}, "until", "is not an instant"),
        ({"until": "1998-06-10T17:20:00Z"}, "until", "is no later than its end"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(
    service: Service, body: dict[str, Any], field: str, said: str
) -> None:
    service.client.post("/v1/events", json=MATCH)
    answer = service.client.post("/v1/events/opening/extend", json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == field
    assert said in answer.json()["problems"][0]["message"]


def test_an_event_of_a_calendar_is_overridden_until_that_is_lifted(
    service: Service, programme: Programme, tmp_path: Path
) -> None:
    (found,) = ids(service.client.get("/v1/events?source=matches"))
    path = f"/v1/events/{found}"
    before = service.client.get(path).json()
    assert (before["source"], before["overridden"]) == ("matches", False)
    longer = service.client.post(path + "/extend", json={"by": "20m"}).json()
    assert (longer["end"], longer["overridden"]) == ("1998-06-11T17:50:00Z", True)

    later = Event(SOURCED.start, SOURCED.end, "football", 5.0, "renamed", "uid/1", SOURCED.selector)
    programme.desk.take_calendar("matches", Calendar((later,)), *programme.window(NOW))
    now = service.client.get(path).json()
    assert (now["name"], now["end"]) == ("renamed", "1998-06-11T17:50:00Z")

    again = reload(programme, tmp_path / "s.sqlite")
    again.desk.take_calendar("matches", Calendar((later,)), *programme.window(NOW))
    assert again.desk.book().get(found).event == programme.desk.book().get(found).event

    cancelled = service.client.delete(path)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    lifted = service.client.delete(path + "/override").json()
    assert lifted == {**before, "name": "renamed", "importance": 5.0}
    assert service.client.put(path, json=MATCH | {"id": found}).status_code == 409


def test_an_override_that_does_not_fit_any_more_leaves_the_event_and_is_told(
    service: Service, programme: Programme
) -> None:
    (found,) = ids(service.client.get("/v1/events?source=matches"))
    service.client.patch(f"/v1/events/{found}", json={"end": "1998-06-11T16:00:00Z"})
    later = Event(SOURCED.start + timedelta(days=1), None, "football", event_id="uid/1")
    programme.desk.take_calendar("matches", Calendar((later,)), *programme.window(NOW))
    now = service.client.get(f"/v1/events/{found}").json()
    assert (now["start"], now["overridden"]) == ("1998-06-12T15:30:00Z", False)
    assert "is not after the start" in now["problem"]
    assert found in programme.notices()[0]


def test_an_event_that_was_removed_is_gone(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    assert service.client.delete("/v1/events/opening").status_code == 204
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("PATCH", ""),
        ("POST", "/extend"),
        ("DELETE", "/override"),
    ]:
        body = {"by": "1m"} if path == "/extend" else {"kind": "a"}
        answer = service.client.request(method, f"/v1/events/opening{path}", json=body)
        assert (answer.status_code, answer.json()["error"]) == (404, "unknown_event")


def test_a_change_of_another_edition_than_was_read_is_refused(service: Service) -> None:
    first = service.client.post("/v1/events", json=MATCH)
    path, tag = "/v1/events/opening", first.headers["etag"]
    changed = service.client.patch(path, json={"importance": 5}, headers={"If-Match": tag})
    assert changed.status_code == 200
    for method, body in [("PATCH", {"importance": 1}), ("PUT", MATCH), ("DELETE", None)]:
        stale = service.client.request(method, path, json=body, headers={"If-Match": tag})
        assert (stale.status_code, stale.json()["error"]) == (412, "precondition_failed")
    only_new = service.client.put(path, json=MATCH, headers={"If-None-Match": "*"})
    assert only_new.status_code == 412
    fresh = {"If-Match": f'"x", {changed.headers["etag"]}'}
    assert service.client.delete(path, headers=fresh).status_code == 204
    assert service.client.put(path, json=MATCH, headers={"If-Match": "*"}).status_code == 412
    assert service.client.put(path, json=MATCH, headers={"If-None-Match": "*"}).status_code == 201


def test_events_are_listed_by_time_workload_kind_and_source(service: Service) -> None:
    def post(event_id: str, start: str, end: str | None, **more: Any) -> None:
        body = {"id": event_id, "start": start, "end": end, "kind": "show", **more}
        body = {key: value for key, value in body.items() if value is not None}
        assert service.client.post("/v1/events", json=body).status_code == 201

    post("day1", "1998-06-20T10:00:00Z", "1998-06-20T12:00:00Z")
    post("ads", "1998-06-20T11:00:00Z", None, selector={"namespaces": ["ads"]}, kind="advert")
    post("edge", "1998-06-20T11:30:00Z", None, selector={"labels": {"tier": "edge"}})
    post("held", "1998-06-20T08:00:00Z", "1998-06-20T09:00:00Z", hold=True, ceiling="5h")
    post("early", "1998-06-20T13:10:00Z", None, start_uncertainty="20m")

    def listed(query: str) -> list[str]:
        answer = service.client.get(f"/v1/events?{query}")
        assert answer.status_code == 200, answer.text
        return ids(answer)

    everything = ["matches:uid_1~" + listed("source=matches")[0][-8:], "held", "day1", "ads"]
    assert listed("") == [*everything, "edge", "early"]
    assert listed("from=1998-06-20T12:00:00Z&to=1998-06-20T13:00:00Z") == [
        "held",
        "ads",
        "edge",
        "early",
    ]
    assert listed("from=1998-06-20T13:00:00Z") == ["ads", "edge", "early"]
    assert listed("to=1998-06-20T09:00:00Z&source=rest") == ["held"]
    assert listed("kind=advert") == ["ads"]
    assert listed("source=rest&workload=streaming/player-api") == ["held", "day1", "edge", "early"]
    assert listed("source=rest&namespace=ads&workload=breaks") == ["held", "day1", "ads", "early"]
    assert listed("namespace=ads&source=rest") == ["held", "day1", "ads", "edge", "early"]
    assert listed("source=nowhere") == []
    assert listed("from=9999-12-31T23:59:59Z") == []
    assert listed("to=0001-01-01T00:00:01Z") == []


def test_a_list_is_paged_and_each_event_is_on_one_page(service: Service) -> None:
    for number in range(25):  # several with one start
        body = {"id": f"n{number:02}", "start": f"1998-07-0{1 + number // 10}T10:00:00Z"}
        service.client.post("/v1/events", json={**body, "kind": "show"})
    query, found, pages = "/v1/events?source=rest&limit=4", [], 0
    cursor = ""
    while True:
        answer = service.client.get(query + cursor)
        found += ids(answer)
        pages += 1
        if answer.json()["next"] is None:
            break
        cursor = f"&cursor={answer.json()['next']}"
        if pages == 2:  # what is removed meanwhile is missed by nobody, nothing comes twice
            service.client.delete("/v1/events/n07")
    assert found == [f"n{number:02}" for number in range(25)]
    assert pages == 7
    assert service.client.get("/v1/events?source=rest&limit=24").json()["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=1998-06-10T15:00:00", "to"),
        ("from=1998-06-10T15:00:00Z&to=1998-06-10T15:00:00Z", "to"),
        ("workload=player-api", "workload"),
        ("workload=a/b&namespace=c", "workload"),
        ("workload=a/", "workload"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=W10", "cursor"),
        (f"cursor={b64encode(b'[' * 1000).decode().rstrip('=')}", "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(service: Service, query: str, field: str) -> None:
    answer = service.client.get(f"/v1/events?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == [field]


def test_the_forecast_carries_the_events_of_its_span_as_bands(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    gone = {**MATCH, "id": "gone", "cancelled": True}
    service.client.post("/v1/events", json=gone)
    forecast = service.client.get("/v1/workloads/streaming/player-api/forecast").json()
    opening, italy = forecast["events"]
    assert opening == {
        "id": "opening",
        "name": "Brazil v Scotland",
        "kind": "football",
        "importance": 4.0,
        "start": "1998-06-10T15:30:00Z",
        "end": "1998-06-10T17:20:00Z",
        "open": False,
        "latest_end": "1998-06-10T17:20:00Z",
        "start_uncertainty_seconds": 0.0,
        "source": "rest",
        "uplift": None,
        "floor_replicas": None,
        "floor_rps": None,
    }
    assert italy["name"] == "Italy v Chile"  # by its label
    short = "?from=1998-06-10T17:20:00Z&to=1998-06-10T18:00:00Z"
    part = service.client.get("/v1/workloads/streaming/player-api/forecast" + short).json()
    assert part["events"] == []
    assert service.client.get("/v1/workloads/ads/breaks/forecast").json()["events"] == []


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    path = tmp_path_factory.mktemp("guarded") / "s.sqlite"
    PlanStore(path).close()
    programme = Programme(EventSettings(), FLEET, path, lambda: NOW)
    programme.load(NOW)
    with serving(
        snapshot(state("a/b")), events=programme, tokens=("r",), events_tokens=("w",)
    ) as running:
        yield running


CHANGES = [
    ("POST", "/v1/events"),
    ("PUT", "/v1/events/x"),
    ("PATCH", "/v1/events/x"),
    ("DELETE", "/v1/events/x"),
    ("POST", "/v1/events/x/extend"),
    ("DELETE", "/v1/events/x/override"),
    ("POST", "/v1/events/"),
    ("POST", "/v1/eventsx"),
    ("LINK", "/v1/events/x"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_change_needs_a_token_of_its_own(guarded: Service, method: str, path: str) -> None:
    def ask(token: str | None) -> tuple[int, str]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = guarded.client.request(method, path, headers=headers)
        return answer.status_code, answer.json()["error"]

    assert ask(None) == (401, "unauthorized")
    assert ask("wrong") == (401, "unauthorized")
    assert ask("r") == (403, "forbidden")
    assert ask("w")[0] in (400, 404, 405, 415)


def test_who_may_write_may_read_as_well(guarded: Service) -> None:
    for token, status in [("r", 200), ("w", 200), ("x", 401)]:
        answer = guarded.client.get("/v1/events", headers={"X-API-KEY": token})
        assert answer.status_code == status


def test_without_a_token_for_it_nobody_writes_and_the_setting_is_named(
    programme: Programme,
) -> None:
    with serving(snapshot(state("a/b")), events=programme) as service:
        answer = service.client.post("/v1/events", json=MATCH)
        assert (answer.status_code, answer.json()["error"]) == (403, "events_are_read_only")
        assert "server: {events_tokens_file:" in answer.json()["reason"]
        assert "PREROLL_SERVER__EVENTS_TOKENS" in answer.json()["reason"]
        assert service.client.get("/v1/events").status_code == 200


def test_where_all_may_read_a_wrong_token_is_401_for_a_change(service: Service) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer x"}):
        answer = service.client.post("/v1/events", json=MATCH, headers=headers)
        assert answer.status_code == 401
        assert "server.events_tokens" in answer.json()["reason"]


def test_a_store_that_cannot_be_written_is_503_and_nothing_has_changed(
    service: Service, tmp_path: Path
) -> None:
    service.client.post("/v1/events", json=MATCH)
    for one in tmp_path.glob("s.sqlite*"):
        one.unlink()
    answer = service.client.patch("/v1/events/opening", json={"importance": 1})
    assert (answer.status_code, answer.json()["error"]) == (503, "store_error")
    assert service.client.get("/v1/events/opening").json()["importance"] == 4


def test_metrics_count_events_by_source(service: Service) -> None:
    service.client.post("/v1/events", json=MATCH)
    service.desk.now = KICK_OFF + timedelta(minutes=1)
    page = service.client.get("/metrics").text
    assert samples(page, "preroll_events") == {("matches",): 1, ("rest",): 1}
    assert samples(page, "preroll_events_on") == {(): 1}


def test_openapi_describes_bodies_answers_and_tokens(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    paths = {path: set(of) for path, of in document["paths"].items() if "events" in path}
    assert paths == {
        "/v1/events": {"get", "post"},
        "/v1/events/{event_id}": {"get", "put", "patch", "delete"},
        "/v1/events/{event_id}/extend": {"post"},
        "/v1/events/{event_id}/override": {"delete"},
    }
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            guarded = path.startswith("/v1/events") and method != "get"
            assert ({"401", "403"} <= set(operation["responses"])) is guarded
            assert ("security" in operation) is guarded
            body = operation.get("requestBody")
            if body is None:
                continue
            for content in body["content"].values():
                name = content["schema"]["$ref"].rpartition("/")[2]
                validator = jsonschema.Draft202012Validator(
                    {**schemas[name], "components": document["components"]}
                )
                assert schemas[name]["examples"]
                for example in schemas[name]["examples"]:
                    validator.validate(example)
    made = service.client.post("/v1/events", json=schemas["EventBody"]["examples"][0])
    assert made.status_code == 201
    view = {**schemas["ToldEventView"], "components": document["components"]}
    jsonschema.Draft202012Validator(view).validate(made.json())


def test_ten_thousand_events_are_found_by_time_in_no_time(
    service: Service, programme: Programme
) -> None:
    """A year of them, two thousand selectors: a question with a time looks at its month alone."""
    events = tuple(
        Event(
            NOW + timedelta(minutes=52 * number),
            NOW + timedelta(minutes=52 * number + 90),
            "football",
            event_id=str(number),
            selector=Selector(workloads=(f"streaming/p-{number % 2000}",)),
        )
        for number in range(-1000, 9000)
    )
    window = NOW - timedelta(days=60), NOW + timedelta(days=400)
    programme.desk.take_calendar("large", Calendar(events), *window)
    service.client.get("/v1/events?limit=1")
    began = time.process_time()
    for _ in range(20):
        book = programme.desk.book()
        found = book.concerning("streaming", "p-7", {}, NOW, NOW + timedelta(days=2))
        assert len(found) <= 1
    assert (time.process_time() - began) / 20 < 0.01
    began = time.process_time()
    span = "from=1998-06-20T00:00:00Z&to=1998-06-21T00:00:00Z"
    answer = service.client.get(f"/v1/events?workload=streaming/p-1&{span}&source=large")
    assert answer.status_code == 200
    assert time.process_time() - began < 0.5
