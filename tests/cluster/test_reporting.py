from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.declared import DeclaredWorkloads
from forecaster.cluster.reporting import EventLedger, EventReporter, Notice
from forecaster.cluster.resources import PODS
from forecaster.settings.workload_shape import DefaultsShape
from tests.cluster.standin import Fault, StandIn
from tests.cluster.test_declared import enabled

NOW = datetime(2026, 6, 11, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTICE = Notice(PODS, "streaming", "p-1", "uid-1", "PrerollSlowPod", "it takes 90 s to start")


@pytest.fixture
def reporter(client: ClusterClient) -> EventReporter:
    return EventReporter(client, instance="preroll-0")


def test_an_invalid_annotation_is_an_event_on_its_object(
    server: StandIn, reporter: EventReporter
) -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page", "lots"))
    (problem,) = declared.problems()
    assert reporter.report(Notice.of_annotation(problem), NOW)
    (event,) = server.created()
    assert re.fullmatch(r"page\.[0-9a-f]{16}", event["metadata"].pop("name"))
    event["metadata"].pop("resourceVersion", None)
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "streaming"},
        "eventTime": "2026-06-11T18:00:00.000000Z",
        "type": "Warning",
        "reason": "PrerollInvalidAnnotation",
        "action": "Reading",
        "note": "preroll.io/capacity: 'lots' is not a number; for example: \"120\"",
        "reportingController": "preroll.io/preroll",
        "reportingInstance": "preroll-0",
        "regarding": {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "namespace": "streaming",
            "name": "page",
            "uid": "uid-page",
        },
    }
    assert server.requests("events", "create")[0].namespace == "streaming"


def test_the_same_is_not_said_again_within_an_hour(
    server: StandIn, reporter: EventReporter
) -> None:
    assert reporter.report(NOTICE, NOW)
    assert not reporter.report(NOTICE, NOW + 59 * MINUTE)
    assert reporter.report(NOTICE, NOW + 60 * MINUTE)
    assert reporter.report(replace(NOTICE, note="it takes 95 s to start"), NOW + 61 * MINUTE)
    assert reporter.report(replace(NOTICE, uid="uid-2"), NOW + 61 * MINUTE)
    assert len(server.created()) == 4
    assert len({one["metadata"]["name"] for one in server.created()}) == 4


def test_no_more_than_so_many_are_written_in_a_minute() -> None:
    ledger = EventLedger(most=3)
    notices = [replace(NOTICE, uid=str(at)) for at in range(5)]
    due = []
    for at, notice in enumerate(notices):
        due.append(ledger.is_due(notice, NOW + at * timedelta(seconds=1)))
        if due[-1]:
            ledger.note(notice, NOW + at * timedelta(seconds=1))
    assert due == [True, True, True, False, False]
    assert ledger.is_due(notices[3], NOW + MINUTE)


def test_a_missing_right_is_said_once_with_its_rule_and_left_alone_for_a_while(
    server: StandIn, reporter: EventReporter
) -> None:
    server.fail(Fault("events", "create", status=403, message="forbidden", times=None))
    assert not reporter.report(NOTICE, NOW)
    assert reporter.trouble is not None
    assert "403: forbidden" in reporter.trouble
    assert reporter.trouble.endswith(
        'add to the role: {apiGroups: ["events.k8s.io"], resources: [events], verbs: [create]}'
    )
    assert not reporter.report(NOTICE, NOW + 4 * MINUTE)
    assert len(server.requests("events", "create")) == 1
    server.heal()
    assert reporter.report(NOTICE, NOW + 5 * MINUTE)
    assert reporter.trouble is None


def test_a_server_that_is_down_is_tried_again_soon(
    server: StandIn, reporter: EventReporter
) -> None:
    server.fail(Fault("events", "create", status=503))
    assert not reporter.report(NOTICE, NOW)
    assert not reporter.report(NOTICE, NOW + timedelta(seconds=29))
    assert reporter.report(NOTICE, NOW + timedelta(seconds=30))


def test_an_event_that_is_there_already_counts_as_said(
    server: StandIn, reporter: EventReporter
) -> None:
    server.fail(Fault("events", "create", status=409))
    assert reporter.report(NOTICE, NOW)
    assert reporter.trouble is None
    assert not reporter.report(NOTICE, NOW + MINUTE)


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_long_note_is_cut_to_what_the_api_server_takes(
    server: StandIn, reporter: EventReporter, letter: str
) -> None:
    reporter.report(replace(NOTICE, note=letter * 3000), NOW)
    note = server.created()[0]["note"]
    assert 990 <= len(note.encode()) < 1024
    assert note.endswith("…")


def test_a_long_name_leaves_room_for_the_events_own(
    server: StandIn, reporter: EventReporter
) -> None:
    reporter.report(replace(NOTICE, name="a" * 199 + "-" + "b" * 50), NOW)
    name = server.created()[0]["metadata"]["name"]
    assert len(name) <= 253
    assert "-." not in name
