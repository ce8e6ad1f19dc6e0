"""What a stand-in API server says of itself: versions, groups, resources. kubectl asks it first."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.cluster.standin_kinds import KINDS, Kind

_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
_VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"}


def discovery(path: str, plurals: Iterable[str]) -> tuple[int, bytes] | None:
    """Status and body for a path that is no object's; None for all others.

    ``plurals`` are the kinds that are served.
    """
    kinds = [KINDS[one] for one in plurals]
    parts = path.strip("/").split("/")
    if path == "/version":
        return _json(_VERSION)
    if path in ("/openapi/v2", "/healthz", "/livez", "/readyz"):
        return 200, b""  # no type is described, so clients validate none
    if parts[0] not in ("api", "apis"):
        return 404, b"404 page not found\n"
    if path == "/api":
        return _json({"kind": "APIVersions", "versions": ["v1"]})
    groups = sorted({one.api_version for one in kinds if one.group})
    if path == "/apis":
        told = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g) for g in groups]}
        return _json(told)
    if len(parts) == 2 and parts[0] == "apis":
        return next((_json(_group(one)) for one in groups if one.startswith(f"{parts[1]}/")), None)
    if (parts[0], len(parts)) in (("api", 2), ("apis", 3)):
        wanted = "/".join(parts[1:])
        found = [_resource(one) for one in kinds if one.api_version == wanted]
        if not found:
            return 404, b"404 page not found\n"
        return _json(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": wanted,
                "resources": found,
            }
        )
    return None


def _group(api_version: str) -> dict[str, object]:
    group, _, version = api_version.partition("/")
    told = {"groupVersion": api_version, "version": version}
    return {"name": group, "versions": [told], "preferredVersion": told}


def _resource(kind: Kind) -> dict[str, object]:
    return {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": _VERBS,
        "shortNames": list(kind.short),
    }


def _json(told: object) -> tuple[int, bytes]:
    return 200, json.dumps(told).encode()
