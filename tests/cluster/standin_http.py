"""Requests and answers of a stand-in API server, as bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import yaml

from tests.cluster.standin_protobuf import from_protobuf


def place(path: str) -> tuple[str, str | None, str | None]:
    """Kind, namespace and name of /api/v1/… or /apis/group/version/…"""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    return (rest[0] if rest else ""), namespace, (rest[1] if len(rest) > 1 else None)


def group_of(path: str) -> str:
    """The API group; empty for the core API."""
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "apis" and len(parts) > 1 else ""


def read_body(body: bytes, content_type: str) -> Any:
    """An object or a patch in one of the ways that clients send it; None where there is none."""
    if not body:
        return None
    if "protobuf" in content_type:
        return from_protobuf(body)
    return yaml.safe_load(body) if "yaml" in content_type else json.loads(body)


def verb_of(method: str, name: str | None, query: Mapping[str, str]) -> str:
    changing = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    if method in changing:
        return changing[method]
    if name is not None:
        return "get"
    return "watch" if query.get("watch") == "true" else "list"


def status(code: int, message: str, *, reason: str = "") -> bytes:
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }
    ).encode()


def chunk(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(line), line))


async def send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    headers: Mapping[str, str] = {},
    *,
    cut: bool = False,
) -> None:
    length = len(body) + (1000 if cut else 0)
    told = {"Content-Type": "application/json", "Content-Length": str(length), **headers}
    lines = "".join(f"{key}: {value}\r\n" for key, value in told.items())
    writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body)
    await writer.drain()
