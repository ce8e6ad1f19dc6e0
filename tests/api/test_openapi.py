from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.api.plans import snapshot, state
from tests.api.service import Service, serving

TARGET = "/v1/targets/{namespace}/{name}"


def schema_of(document: dict[str, Any], path: str, status: str) -> dict[str, Any]:
    answer = document["paths"][path]["get"]["responses"][status]
    wanted: dict[str, Any] = dict(answer["content"]["application/json"]["schema"])
    return {**wanted, "components": document["components"]}


def test_every_path_is_described_the_one_keda_reads_first(steady: Service) -> None:
    document = steady.client.get("/openapi.json").json()
    assert list(document["paths"]) == [
        TARGET,
        "/v1/workloads",
        "/v1/workloads/{namespace}/{name}/forecast",
        "/v1/headroom/{namespace}/{name}",
        "/v1/warnings",
        "/healthz",
        "/readyz",
        "/metrics",
    ]
    assert set(document["paths"][TARGET]["get"]["responses"]) == {"200", "404", "503"}
    assert "securitySchemes" not in document["components"]


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        (TARGET, "/v1/targets/streaming/player-api", "200"),
        (TARGET, "/v1/targets/streaming/chat", "503"),
        (TARGET, "/v1/targets/no/such", "404"),
        ("/v1/workloads", "/v1/workloads", "200"),
        ("/v1/headroom/{namespace}/{name}", "/v1/headroom/streaming/player-api", "200"),
        ("/v1/headroom/{namespace}/{name}", "/v1/headroom/streaming/chat", "200"),
        ("/v1/headroom/{namespace}/{name}", "/v1/headroom/no/such", "404"),
        (
            "/v1/workloads/{namespace}/{name}/forecast",
            "/v1/workloads/streaming/player-api/forecast",
            "200",
        ),
        (
            "/v1/workloads/{namespace}/{name}/forecast",
            "/v1/workloads/streaming/player-api/forecast?from=x",
            "422",
        ),
        (
            "/v1/workloads/{namespace}/{name}/forecast",
            "/v1/workloads/streaming/chat/forecast",
            "503",
        ),
        ("/v1/warnings", "/v1/warnings", "200"),
        ("/healthz", "/healthz", "200"),
        ("/readyz", "/readyz", "503"),
    ],
)
def test_what_is_answered_is_what_is_described(
    steady: Service, path: str, asked: str, status: str
) -> None:
    document = steady.client.get("/openapi.json").json()
    answer = steady.client.get(asked)
    assert str(answer.status_code) == status
    validator = jsonschema.Draft202012Validator(schema_of(document, path, status))
    validator.validate(answer.json())
    assert not validator.is_valid({"something": "else"})


def test_with_tokens_both_ways_to_send_one_are_described() -> None:
    with serving(snapshot(state("a/b")), tokens=("s3cret",)) as service:
        first = service.client.get("/openapi.json").json()
        assert service.client.get("/openapi.json").json() == first
    schemes = first["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["apiKey"]["name"] == "X-API-KEY"
    for path, operations in first["paths"].items():
        operation = operations["get"]
        assert ("401" in operation["responses"]) is path.startswith("/v1")
        assert ("security" in operation) is path.startswith("/v1")
