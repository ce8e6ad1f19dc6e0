"""What newer kubectl sends as protobuf: the objects that its ``create`` commands make.

A field is a key (number and wire type) and a value; text, bytes and messages are read here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.cluster.standin_store import Object

_MAGIC = b"k8s\x00"


def from_protobuf(body: bytes) -> Object:
    """A Namespace, a Secret or DeleteOptions; ValueError for every other kind."""
    unknown = dict(_fields(body.removeprefix(_MAGIC)))
    type_meta = dict(_fields(unknown[1]))
    kind = type_meta[2].decode()
    told: Object = {"apiVersion": type_meta[1].decode(), "kind": kind}
    fields = list(_fields(unknown.get(2, b"")))
    if kind == "DeleteOptions":
        return told | {"propagationPolicy": dict(fields).get(4, b"").decode()}
    told["metadata"] = _metadata(list(_fields(dict(fields)[1])))
    if kind == "Secret":
        data = _map(fields, 2)
        told["data"] = {key: base64.b64encode(value).decode() for key, value in data.items()}
        told["type"] = dict(fields).get(3, b"Opaque").decode()
    elif kind != "Namespace":
        raise ValueError(f"no reader for {kind}")
    return told


def _metadata(fields: list[tuple[int, bytes]]) -> Object:
    texts = {1: "name", 3: "namespace", 5: "uid", 6: "resourceVersion"}
    told: Object = {texts[number]: text.decode() for number, text in fields if number in texts}
    for number, name in ((11, "labels"), (12, "annotations")):
        told[name] = {key: value.decode() for key, value in _map(fields, number).items()}
    return {key: value for key, value in told.items() if value}


def _map(fields: list[tuple[int, bytes]], wanted: int) -> dict[str, bytes]:
    pairs = (dict(_fields(value)) for number, value in fields if number == wanted)
    return {one[1].decode(): one[2] for one in pairs}


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(body):
        key, at = _number(body, at)
        value, at = _number(body, at)
        if key & 7 == 2:  # else a number, which is passed over
            yield key >> 3, body[at : at + value]
            at += value


def _number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
