"""What FastAPI cannot see of its own accord: the route ahead of its routing, and the tokens.

It hands out its schema as a dictionary to be extended (FastAPI documentation, "Extending OpenAPI").
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from api.answers import RETRY_AFTER_SECONDS
from api.event_schemas import EventBody, ExtensionBody, PatchBody
from api.schemas import ErrorView, TargetView

__all__ = ["describe_event_routes", "describe_target_route", "describe_tokens"]

_PATH = "/v1/targets/{namespace}/{name}"
_DESCRIPTION = (
    "The number a KEDA `metrics-api` trigger reads, `valueLocation: replicas`. HPA takes the "
    "maximum over all triggers, so it is a floor; 0 is no floor. On a 503 the HPA holds."
)
_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
}


def describe_target_route(schema: dict[str, Any]) -> None:
    """Put the route KEDA reads, and what it answers, at the head of an OpenAPI schema."""
    _, definitions = models_json_schema(
        [(TargetView, "serialization"), (ErrorView, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    components = schema.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **definitions["$defs"]}
    schema["paths"] = {_PATH: {"get": _operation()}, **schema["paths"]}


def describe_event_routes(schema: dict[str, Any]) -> None:
    """Describe the bodies that change events, and that a change needs a token of its own."""
    changes = [
        operation
        for path, operations in schema["paths"].items()
        if path.startswith("/v1/events")
        for method, operation in operations.items()
        if method != "get"
    ]
    if not changes:
        return
    _, definitions = models_json_schema(
        [(EventBody, "validation"), (PatchBody, "validation"), (ExtensionBody, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    components = schema["components"]
    components["schemas"] = {**definitions["$defs"], **components["schemas"]}
    components["securitySchemes"] = _SCHEMES
    for operation in changes:
        operation["security"] = [{name: []} for name in _SCHEMES]
        operation["responses"]["401"] = _answer("ErrorView", "No valid token")
        operation["responses"]["403"] = _answer(
            "ErrorView", "The token may only read, or none is set that may write events"
        )


def describe_tokens(schema: dict[str, Any], below: str) -> None:
    """Say that every path below ``below`` asks for a token, and in which two ways it may come."""
    schema["components"]["securitySchemes"] = _SCHEMES
    for path, operations in schema["paths"].items():
        if path.startswith(below):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _SCHEMES]
                operation["responses"]["401"] = _answer("ErrorView", "No valid token")


def _operation() -> dict[str, Any]:
    again = {"schema": {"type": "integer"}, "description": "Seconds"}
    return {
        "tags": ["targets"],
        "summary": "How many replicas a workload needs now, with the reasons",
        "description": _DESCRIPTION,
        "operationId": "target",
        "parameters": [_parameter("namespace", "streaming"), _parameter("name", "player-api")],
        "responses": {
            "200": _answer("TargetView", "The target"),
            "404": _answer("ErrorView", "No such workload is configured"),
            "503": {
                **_answer("ErrorView", "No plan covers this instant; the reason says why"),
                "headers": {"Retry-After": {**again, "example": RETRY_AFTER_SECONDS}},
            },
        },
    }


def _parameter(name: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "example": example,
    }


def _answer(model: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{model}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
