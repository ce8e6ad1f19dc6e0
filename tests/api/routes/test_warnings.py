"""What somebody should see to, and what is known of each workload in the cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest

from forecaster.cluster.fit_warning import Excess
from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.cluster_messages import ClusterHealth, SeenLead, SeenWorkload
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView, ClusterWorkload
from tests.api.around import (
    DELIVERY,
    FIT,
    HPA,
    LATE,
    PLAYER,
    SEEN,
    VIEW,
    asked,
    minutes,
)


def test_where_nothing_is_known_nothing_is_warned_of() -> None:
    assert asked("/v1/warnings").json() == {"watched": False, "warnings": []}
    assert asked("/v1/warnings", ClusterView(True)).json() == {"watched": True, "warnings": []}


def test_what_will_not_fit_comes_first_then_late_events_annotations_and_what_is_not_read() -> None:
    body = asked("/v1/warnings", VIEW).json()
    assert body["watched"] is True
    kinds = [one["kind"] for one in body["warnings"]]
    assert kinds == ["will_not_fit", "will_not_fit", "late_event", "annotation", "cluster"]
    quota, maximum, late, annotation, cluster = body["warnings"]
    assert quota == {
        "kind": "will_not_fit",
        "text": FIT.text(),
        "workloads": [PLAYER, "streaming/chat"],
        "limit": "quota",
        "resource": "requests.cpu",
        "wanted": 120.0,
        "allowed": 80.0,
        "hours_ahead": 3.0,
        "fix": "raise requests.cpu to 120",
        "spans": [
            {"start": "1998-06-10T18:29:30Z", "end": "1998-06-10T19:29:30Z", "wanted": 120.0}
        ],
        "also": [],
    }
    assert (maximum["limit"], maximum["workloads"]) == ("maximum", ["streaming/chat"])
    assert (late["text"], late["workloads"]) == (LATE.text, [PLAYER])
    assert annotation["text"].startswith("ScaledObject ads/x: preroll.io/capacity")
    assert cluster["text"] == "pods in all namespaces: cannot connect"
    for one in (late, annotation, cluster):
        assert (one["limit"], one["wanted"], one["spans"]) == (None, None, [])


def test_what_is_exceeded_as_well_comes_with_it() -> None:
    as_well = replace(FIT, also=(Excess("pods", (replace(FIT.spans[0], wanted=70.0),), 60.0),))
    (told,) = asked("/v1/warnings", ClusterView(True, fit=(as_well,))).json()["warnings"]
    assert (told["resource"], told["wanted"]) == ("requests.cpu", 120.0)
    (pods,) = told["also"]
    assert pods == {
        "resource": "pods",
        "wanted": 70.0,
        "allowed": 60.0,
        "spans": [{**told["spans"][0], "wanted": 70.0}],
    }


def test_texts_that_no_answer_can_carry_are_carried_all_the_same() -> None:
    odd = ClusterView(True, problems=("bad \ud800",), health=ClusterHealth(('"q"\n\\',)))
    told = [one["text"] for one in asked("/v1/warnings", odd).json()["warnings"]]
    assert told == ["bad ?", '"q"\n\\']


def test_many_warnings_are_one_sound_answer() -> None:
    many = replace(VIEW, problems=tuple(f"ScaledObject a/{n}: bad" for n in range(2000)))
    found = asked("/v1/warnings", many).json()["warnings"]
    assert len(found) == 2004 and found[-2]["text"] == "ScaledObject a/1999: bad"


@pytest.mark.parametrize("path", ["/v1/warnings", "/v1/workloads"])
@pytest.mark.parametrize("view", [NOTHING_KNOWN, VIEW], ids=["nothing", "everything"])
def test_answers_are_as_openapi_describes_them(path: str, view: ClusterView) -> None:
    document = asked("/openapi.json").json()
    answer = document["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    validator.validate(asked(path, view).json())
    assert not validator.is_valid({"warnings": 7})
    kinds = document["components"]["schemas"]["WarningKind"]["enum"]
    assert kinds == ["will_not_fit", "late_event", "annotation", "cluster"]


def in_cluster(known: ClusterWorkload) -> dict[str, object] | None:
    rows = asked("/v1/workloads", ClusterView(True, {PLAYER: known})).json()["workloads"]
    (one,) = [one for one in rows if one["name"] == "player-api"]
    found: dict[str, object] | None = one["cluster"]
    return found


def test_all_that_is_known_of_a_workload_in_the_cluster_is_listed() -> None:
    rows = asked("/v1/workloads", VIEW).json()["workloads"]
    player, chat = (one["cluster"] for one in rows)
    assert chat is None
    assert player == {
        "ready": 28,
        "replicas": 34,
        "desired": 34,
        "min_replicas": 3,
        "max_replicas": 90,
        "scaled_object": "player",
        "paused": True,
        "limited": "TooFewReplicas: x",
        "lead_time": {
            "seconds": 113.0,
            "reason": "p95 1m35s of 38 start-ups + 18s",
            "start_ups": 38,
            "total": {"p50": 42.0, "p95": 95.0},
            "parts": {
                "scheduling": {"p50": 1.0, "p95": 2.5},
                "starting": {"p50": 38.0, "p95": 88.0},
            },
        },
        "capacity": {
            "rps": 118.5,
            "reason": "11 days at 70 %",
            "since": "1998-06-08T15:29:30Z",
            "provisional": True,
        },
        "delivered": {
            "at": "1998-06-10T15:29:30Z",
            "target": 40,
            "due": 34,
            "short": "6 missing, dead band: 34 is within 10 % of 31",
            "last_day": {
                "on_time": 1425,
                "missed": {"dead band": 12, "quota": 3},
                "share": 1425 / 1440,
            },
            "total": {"on_time": 90, "missed": {"dead band": 10}, "share": 0.9},
        },
    }


def test_what_is_not_known_is_null() -> None:
    assert in_cluster(ClusterWorkload()) is None
    bare = in_cluster(ClusterWorkload(capacity=MeasuredCapacity(None, "never loaded enough")))
    assert bare is not None
    assert [key for key, value in bare.items() if value is not None] == ["paused", "capacity"]
    unread = in_cluster(ClusterWorkload(replace(SEEN, scaled=None, scaled_object=None, ready=None)))
    assert unread is not None
    assert (unread["ready"], unread["replicas"]) == (None, HPA.current)
    assert (unread["min_replicas"], unread["max_replicas"], unread["paused"]) == (2, 100, False)
    nothing = in_cluster(ClusterWorkload(SeenWorkload(ready=0)))
    assert nothing is not None and (nothing["ready"], nothing["replicas"]) == (0, None)


def test_a_lead_time_of_too_few_start_ups_has_its_reason() -> None:
    few = SeenLead(MeasuredLead(timedelta(minutes=5), "2 of 5"), StartUpSummary(2))
    found = in_cluster(ClusterWorkload(lead=few))
    assert found is not None
    assert found["lead_time"] == {
        "seconds": None,
        "reason": "2 of 5",
        "start_ups": 2,
        "total": None,
        "parts": {},
    }


def test_what_is_delivered_before_anything_was_due_has_no_share() -> None:
    early = replace(DELIVERY, due=None, short=None, last_day=minutes(0), total=minutes(0))
    found = in_cluster(ClusterWorkload(delivery=early))
    assert found is not None and isinstance(found["delivered"], dict)
    told = found["delivered"]
    assert (told["due"], told["short"]) == (None, None)
    assert told["last_day"] == {"on_time": 0, "missed": {}, "share": None}
