from __future__ import annotations

import gc
import json
import logging
import math
import socket
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.answers import Answer
from api.routes.targets import TargetRoute
from forecaster.events import Event
from forecaster.models.outlook import Outlook
from forecaster.models.peak import Taught
from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.planning.event_floor import Declared
from forecaster.planning.limits import MOST_REPLICAS
from forecaster.planning.live import Live, ToldPeak
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import Snapshot, WorkloadState
from tests.api.keda_stand_in import json_value
from tests.api.plans import NOW, START, live, snapshot, state, untrained, with_mode
from tests.api.service import Service


def route_for(seen: Snapshot, now: datetime = NOW) -> TargetRoute:
    return TargetRoute(lambda: seen, lambda: now)


def refuse(name: str) -> float:
    raise AssertionError(f"{name} in a body")


def parsed(answer: Answer) -> dict[str, object]:
    body: dict[str, object] = json.loads(answer.body, parse_constant=refuse)
    return body


def assert_contract(answer: Answer) -> None:
    """Section by section what KEDA must never meet."""
    headers = dict(answer.headers)
    assert headers[b"content-length"] == str(len(answer.body)).encode()
    assert headers[b"content-type"] == b"application/json"
    body = parsed(answer)
    if answer.status == 200:
        assert type(body["replicas"]) is int
        assert body["replicas"] >= 0
        # KEDA reads a float; beyond 2^53, far above any maximum, that is the nearest one.
        assert json_value(answer.body.decode(), "replicas") == float(body["replicas"])
        assert body["reasons"]
    else:
        assert answer.status in (404, 503)
        assert "replicas" not in body
        assert body["reason"]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_body_carries_the_target_its_reasons_and_how_long_it_holds(mode: Mode) -> None:
    one = state("streaming/player-api", with_mode(mode))
    target = one.target(NOW)
    answer = route_for(snapshot(one, notices=("the store is read-only",))).answer(one.workload)
    assert answer.status == 200
    assert parsed(answer) == {
        "replicas": target.replicas,
        "planned_replicas": target.planned_replicas,
        "namespace": "streaming",
        "name": "player-api",
        "mode": mode.value,
        "source": "none" if mode is Mode.OFF else "outlook",
        "lead_peak": None,
        "reasons": list(target.reasons),
        "valid_until": None if mode is Mode.OFF else "1998-06-10T15:30:00Z",
        "notices": ["the store is read-only"],
    }
    assert_contract(answer)


def test_the_body_says_that_the_lead_peak_spoke_and_what_it_said() -> None:
    one = replace(state("a/b"), live=live())
    body = parsed(route_for(snapshot(one)).answer("a/b"))
    assert (body["source"], body["replicas"]) == ("lead_peak", 41)  # 1000.5 / 25, rounded up
    assert body["lead_peak"] == {
        "at": "1998-06-10T15:29:00Z",
        "now_rps": 812.25,
        "quantile": 0.98,
        "peak_rps": 1000.5,
        "taught": "own",
    }
    assert body["reasons"] == [
        "lead peak 0.98 quantile 1,000 rps within the next 5m ÷ 25 rps = 41; "
        "traffic was 812.2 rps up to 15:29 UTC"
    ]
    assert body["valid_until"] == "1998-06-10T15:30:00Z"


def test_a_floor_of_an_event_is_served_where_nothing_else_speaks_from_its_step_on() -> None:
    """What was answered before is not kept beyond the instant at which the floor begins."""
    clock = [NOW]
    show = Event(NOW + timedelta(minutes=10), None, "show", floor_replicas=50)
    one = replace(untrained("a/b", "3h of traffic"), declared=Declared((show,)))
    low = replace(state("c/d"), live=live(30.0, NOW.replace(minute=34, second=0)))
    low = replace(low, declared=Declared((show,)))
    seen = snapshot(one, low)
    route = TargetRoute(lambda: seen, lambda: clock[0])
    begins = show.start - one.rule.lead_time  # 15:34:30: it has a part in the minute before
    told = []
    for seconds in (-31, -30, 0, 30):
        clock[0] = begins + timedelta(seconds=seconds)
        answers = [route.answer(name) for name in ("a/b", "c/d")]
        told.append([parsed(one).get("replicas") for one in answers])
    assert told == [[None, 2], [50, 50], [50, 50], [50, 50]]
    body = parsed(answers[0])
    assert (body["source"], body["lead_peak"]) == ("event", None)
    assert body["reasons"] == [
        "event floor 50 replicas from 15:34 UTC: show starts at 15:39 UTC",
        "no forecast speaks: 3h of traffic",
    ]


def test_a_lead_peak_that_is_too_old_is_shown_and_does_not_count() -> None:
    one = replace(state("a/b"), live=live(at=NOW.replace(second=0) - timedelta(minutes=10)))
    body = parsed(route_for(snapshot(one)).answer("a/b"))
    assert body["source"] == "outlook"
    assert body["lead_peak"]["at"] == "1998-06-10T15:19:00Z"  # type: ignore[index]
    assert body["reasons"][1] == (  # type: ignore[index]
        "outlook speaks: latest traffic ended 1998-06-10 15:19 UTC, 10m30s ago"
    )


def test_a_workload_on_its_first_day_is_served_without_a_plan() -> None:
    one = replace(untrained("a/b", "5h of traffic"), live=live())
    route = route_for(snapshot(one))
    assert parsed(route.answer("a/b"))["replicas"] == 41
    assert_contract(route.answer("a/b"))


def test_a_workload_without_a_plan_gets_503_with_the_reason_and_when_to_ask_again() -> None:
    untold, told = untrained("a/b"), untrained("a/c", "the source answers 401")
    route = route_for(snapshot(untold, told))
    assert parsed(route.answer("a/b")) == {
        "error": "no_usable_plan",
        "reason": "a/b: not trained yet",
    }
    assert "the source answers 401" in str(parsed(route.answer("a/c"))["reason"])
    assert dict(route.answer("a/b").headers)[b"retry-after"] == b"15"


def test_the_answer_changes_exactly_when_the_step_or_the_state_does() -> None:
    odd_age = timedelta(minutes=300, seconds=20)  # it grows too old in the middle of a step
    first = replace(state("a/b"), live=replace(live(at=START), stale_after=odd_age))
    second = state("a/b", ScalingRule(capacity_rps=10, max_replicas=500))
    desk = {"seen": snapshot(first), "now": START}
    kept = TargetRoute(lambda: desk["seen"], lambda: desk["now"])  # type: ignore[arg-type, return-value]
    choose = np.random.default_rng(7)
    statuses = set()
    for _ in range(400):
        minutes = float(choose.uniform(-20, 2 * 24 * 60 + 20))
        desk["now"] = START + timedelta(minutes=minutes)
        if choose.random() < 0.2:
            notices = ("new",) if choose.random() < 0.5 else ()
            desk["seen"] = snapshot(first if choose.random() < 0.5 else second, notices=notices)
        fresh = TargetRoute(lambda: desk["seen"], lambda: desk["now"])  # type: ignore[arg-type, return-value]
        for _again in range(2):
            assert kept.answer("a/b") == fresh.answer("a/b")
        statuses.add(kept.answer("a/b").status)
    assert statuses == {200, 503}


def test_an_answer_within_a_step_is_not_made_twice() -> None:
    one = state("a/b")
    desk = {"now": NOW}
    route = TargetRoute(lambda: snapshot(one), lambda: desk["now"])
    answer = route.answer("a/b")
    desk["now"] = NOW + timedelta(seconds=29)
    assert route.answer("a/b") is answer
    desk["now"] = NOW + timedelta(seconds=30)
    assert route.answer("a/b") is not answer


def test_a_notice_for_all_is_in_the_next_answer_and_gone_when_it_is_over() -> None:
    one = state("a/b")
    desk = {"seen": snapshot(one)}
    route = TargetRoute(lambda: desk["seen"], lambda: NOW)
    said = []
    for notices in ((), ("the source is down since 20:04",), ()):
        desk["seen"] = snapshot(one, notices=notices)
        said.append(parsed(route.answer("a/b"))["notices"])
    assert said == [[], ["the source is down since 20:04"], []]


def test_a_state_that_was_replaced_is_let_go() -> None:
    desk = {"seen": snapshot(state("a/b"))}
    route = TargetRoute(lambda: desk["seen"], lambda: NOW)
    route.answer("a/b")
    old = weakref.ref(desk["seen"].state("a/b"))
    desk["seen"] = snapshot(state("a/b"))
    gc.collect()
    assert old() is None
    assert route.answer("a/b").status == 200


@pytest.mark.parametrize(
    "workload",
    [
        "",
        "/",
        "a",
        "a/",
        "a/b/c",
        "a//b",
        "A/B",
        "../etc/passwd",
        "a/b\x00",
        "a/b ",
        "ä/ö",
        "x" * 9999,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_not_configured_is_404(workload: str) -> None:
    answer = route_for(snapshot(state("a/b"))).answer(workload)
    assert answer.status == 404
    assert parsed(answer)["error"] == "unknown_workload"
    assert len(answer.body) < 2000
    assert_contract(answer)


def test_names_with_dots_and_of_any_length_are_found() -> None:
    long = "n" * 63 + "/" + "w" * 253
    route = route_for(snapshot(state("a.b/c.d.e"), state(long)))
    assert route.answer("a.b/c.d.e").status == 200
    assert parsed(route.answer(long))["name"] == "w" * 253


def test_a_notice_with_bytes_that_are_no_text_does_not_cost_the_target() -> None:
    one = state("a/b")
    odd = WorkloadState("a", "b", one.rule, one.plan, notices=("cannot read caf\udce9.csv",))
    answer = route_for(snapshot(odd)).answer("a/b")
    assert answer.status == 200
    assert parsed(answer)["notices"] == ["cannot read caf?.csv"]


def broken(replicas: object) -> WorkloadState:
    good = state("a/b")
    assert good.plan is not None
    plan = Plan(
        good.plan.outlook,
        good.rule,
        good.plan.peak_rps,
        good.plan.peak_index,
        good.plan.needed,
        replicas,  # type: ignore[arg-type]
    )
    return WorkloadState("a", "b", good.rule, plan)


def test_a_negative_target_is_sent_as_0() -> None:
    answer = route_for(snapshot(broken(np.full(3000, -3)))).answer("a/b")
    assert answer.status == 200
    assert parsed(answer)["replicas"] == 0
    assert parsed(answer)["planned_replicas"] == 0


def test_the_unexpected_is_503_without_a_trace_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    route = route_for(snapshot(broken(np.full(3000, math.nan))))
    with caplog.at_level(logging.ERROR, logger="api"):
        answers = [route.answer("a/b") for _ in range(3)]
    assert {answer.status for answer in answers} == {503}
    assert parsed(answers[0])["error"] == "internal_error"
    assert "Traceback" not in answers[0].body.decode()
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("culprit", ["snapshot", "clock"])
def test_a_snapshot_or_a_clock_that_fails_is_503(culprit: str) -> None:
    def fail() -> Snapshot:
        raise RuntimeError("gone")

    seen = snapshot(state("a/b"))
    if culprit == "snapshot":
        route = TargetRoute(fail, lambda: NOW)
    else:
        route = TargetRoute(lambda: seen, fail)  # type: ignore[arg-type, return-value]
    assert route.answer("a/b").status == 503
    assert_contract(route.answer("a/b"))


_ANY_INT = st.integers(-(2**62), 2**62)
_ANY_RATE = st.floats(allow_nan=True, allow_infinity=True)
_TEXT = st.text(st.characters(), max_size=8)


@st.composite
def arbitrary_floors(draw: st.DrawFn) -> Declared:
    """Events around the plan, and any traffic."""
    events = []
    for _ in range(draw(st.integers(0, 2))):
        start = START + timedelta(minutes=draw(st.integers(-9, 9)))
        events.append(
            Event(
                start,
                start + timedelta(minutes=draw(st.integers(1, 9))),
                draw(_TEXT.filter(str.strip)),
                floor_replicas=draw(st.none() | st.integers(0, 10**6)),
                floor_rps=draw(st.none() | st.floats(0, allow_infinity=False)),
                hold=draw(st.booleans()),
            )
        )
    seen_until = START + timedelta(minutes=draw(st.integers(-9, 9)))
    step = timedelta(seconds=draw(st.integers(1, 3600)))
    return Declared(tuple(events), step, draw(st.none() | _ANY_RATE), seen_until)


@st.composite
def arbitrary_states(draw: st.DrawFn) -> WorkloadState:
    """Plans that no planner would make: any number anywhere."""
    steps = draw(st.integers(1, 5))
    rule = ScalingRule(
        capacity_rps=draw(st.floats(1e-300, 1e300)),
        lead_time=timedelta(seconds=draw(st.integers(1, 10**6))),
        min_replicas=draw(st.integers(0, 5)),
        max_replicas=draw(st.integers(5, MOST_REPLICAS)),
        mode=draw(st.sampled_from(list(Mode))),
    )
    outlook = Outlook(
        draw(_TEXT),
        START,
        START,
        timedelta(minutes=1),
        (0.5,),
        np.full((1, steps), draw(st.floats(0, 1e300))),
        draw(_TEXT),
    )
    replicas = draw(st.lists(_ANY_INT | _ANY_RATE, min_size=steps, max_size=steps))
    plan = Plan(
        outlook,
        rule,
        np.array(draw(st.lists(_ANY_RATE, min_size=steps, max_size=steps))),
        np.array(draw(st.lists(_ANY_INT, min_size=steps, max_size=steps)), dtype=np.int64),
        np.array(draw(st.lists(_ANY_INT, min_size=steps, max_size=steps)), dtype=np.int64),
        np.array(replicas),
    )
    told = ToldPeak(
        START + timedelta(minutes=draw(st.floats(-9, 9))),
        timedelta(seconds=draw(st.integers(1, 3600))),
        1,
        draw(_ANY_RATE),
        draw(st.floats(0, 1)),
        draw(st.floats(0, 1e308)),
        draw(st.sampled_from(list(Taught))),
        draw(_TEXT),
    )
    spoken = Live(told if draw(st.booleans()) else None, timedelta(minutes=draw(st.floats(0, 9))))
    notices = tuple(draw(st.lists(_TEXT, max_size=2)))
    reason = draw(st.none() | _TEXT)
    has_plan = draw(st.integers(0, 9)) > 0
    planned = plan if has_plan else None
    return WorkloadState(
        "a",
        "b",
        rule,
        planned,
        reason,
        notices=notices,
        live=spoken,
        declared=draw(arbitrary_floors()),
    )


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@settings(max_examples=300, deadline=None)
@given(one=arbitrary_states(), minutes=st.floats(-2, 7))
def test_whatever_the_plan_holds_the_body_keeps_the_contract(
    one: WorkloadState, minutes: float
) -> None:
    logging.disable(logging.ERROR)
    try:
        route = route_for(snapshot(one), START + timedelta(minutes=minutes))
        assert_contract(route.answer("a/b"))
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "path", ["/v1/targets/streaming/player-api/", "/v1/targets/streaming/player%2Dapi"]
)
def test_a_trailing_slash_or_an_encoded_letter_changes_nothing(steady: Service, path: str) -> None:
    plain = steady.client.get("/v1/targets/streaming/player-api")
    other = steady.client.get(path, follow_redirects=False)
    assert (other.status_code, other.content) == (200, plain.content)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_get_is_answered(steady: Service, method: str) -> None:
    answer = steady.client.request(method, "/v1/targets/streaming/player-api", content=b"x" * 99)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["error"] == "method_not_allowed"


def test_head_is_get_without_the_body(steady: Service) -> None:
    got = steady.client.get("/v1/targets/streaming/player-api")
    head = steady.client.head("/v1/targets/streaming/player-api")
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(got.content))
    assert head.content == b""


def test_a_query_string_is_ignored(steady: Service) -> None:
    assert steady.client.get("/v1/targets/streaming/player-api?x=1").status_code == 200


def test_nothing_between_may_keep_an_answer(steady: Service) -> None:
    for workload in ("streaming/player-api", "streaming/chat", "no/such"):
        answer = steady.client.get(f"/v1/targets/{workload}")
        assert answer.headers["cache-control"] == "no-store"


HOSTILE = {
    "dots": b"/v1/targets/../../etc/passwd",
    "encoded dots": b"/v1/targets/%2e%2e/%2e%2e/etc/passwd",
    "zero byte": b"/v1/targets/streaming/player-api%00",
    "no UTF-8": b"/v1/targets/%ff%fe/%c3%28",
    "raw bytes": b"/v1/targets/\xff\xfe/\x80",
    "new line": b"/v1/targets/a%0d%0aX-Evil:%201/b",
    "empty": b"/v1/targets/",
    "slashes": b"/v1/targets//////",
    "long": b"/v1/targets/" + b"a" * 20_000 + b"/b",
    "percent": b"/v1/targets/%/%%%",
    "half an escape": b"/v1/targets/%4/%zz",
    "asterisk": b"*",
    "absolute": b"http://elsewhere.example/v1/targets/no/such",
    "not a path": b"v1/targets",
    "fragment": b"/v1/targets/no/such#x",
    "backslashes": b"\\v1\\targets\\a",
}


@pytest.mark.parametrize("target", HOSTILE.values(), ids=HOSTILE.keys())
def test_odd_paths_are_client_errors_and_the_next_client_is_served(
    steady: Service, target: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", steady.port), timeout=5) as client:
        client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 404)
    assert b"Traceback" not in answer
    assert b"\r\nX-Evil" not in answer
    assert steady.client.get("/v1/targets/streaming/player-api").status_code == 200


def test_every_answer_is_counted_by_status(service: Service) -> None:
    for path in ("streaming/player-api", "streaming/player-api", "streaming/chat", "no/such"):
        service.client.get(f"/v1/targets/{path}")
    page = service.client.get("/metrics").text
    assert 'preroll_target_answers_total{code="200"} 2.0' in page
    assert 'preroll_target_answers_total{code="404"} 1.0' in page
    assert 'preroll_target_answers_total{code="503"} 1.0' in page


def test_the_clock_may_be_in_any_zone() -> None:
    from zoneinfo import ZoneInfo

    one = state("a/b")
    here = route_for(snapshot(one), NOW.astimezone(ZoneInfo("Europe/Paris"))).answer("a/b")
    assert here == route_for(snapshot(one), NOW.astimezone(UTC)).answer("a/b")
