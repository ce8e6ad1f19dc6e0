from __future__ import annotations

import logging

import pytest

from api.app import create_app
from forecaster.planning.snapshot import Snapshot, WorkloadState
from tests.api.plans import NOW
from tests.api.service import Service


@pytest.mark.parametrize("path", ["/", "/nope", "/v2/targets/a/b", "/v1", "/v1/targets", "/docs/x"])
def test_a_path_that_is_not_there_is_404_as_json(steady: Service, path: str) -> None:
    answer = steady.client.get(path)
    assert answer.status_code == 404
    if path != "/docs/x":
        assert answer.json()["error"] == "not_found"


def test_a_wrong_method_is_405_as_json(steady: Service) -> None:
    answer = steady.client.delete("/v1/workloads")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/metrics/", "/v1/workloads/", "/docs/"])
def test_a_trailing_slash_is_answered_without_a_redirect(steady: Service, path: str) -> None:
    answer = steady.client.get(path, follow_redirects=False)
    plain = steady.client.get(path.rstrip("/"))
    assert answer.status_code == plain.status_code
    assert "location" not in answer.headers


def test_something_unexpected_is_500_as_json_and_the_trace_stays_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    broken = WorkloadState("a", "b", rule=None)  # type: ignore[arg-type]
    service.desk.snapshot = Snapshot({"a/b": broken})
    with caplog.at_level(logging.ERROR):
        answers = [service.client.get(path) for path in ("/v1/workloads", "/v1/targets/a/b")]
    assert [answer.status_code for answer in answers] == [500, 503]
    for answer in answers:
        assert answer.json()["error"] == "internal_error"
        assert "Traceback" not in answer.text and "NoneType" not in answer.text
    assert answers[0].headers["connection"] == "close"
    assert any(record.exc_info for record in caplog.records)


def test_two_applications_share_nothing() -> None:
    one = create_app(Snapshot, clock=lambda: NOW, tokens=("a",))
    other = create_app(Snapshot, clock=lambda: NOW)
    assert "securitySchemes" in one.openapi()["components"]
    assert "securitySchemes" not in other.openapi()["components"]


def test_a_token_that_cannot_be_sent_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"tokens\[0\]"):
        create_app(Snapshot, clock=lambda: NOW, tokens=("",))
