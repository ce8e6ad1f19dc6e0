"""Patches, as the API server lays them over an object."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.cluster.standin_store import Object

# Lists whose items are known by a key; every other list is replaced as a whole.
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "conditions": "type",
    "ownerReferences": "uid",
}


def merged(into: Object, patch: Object, *, strategic: bool = False) -> Object:
    """A merge patch, or a strategic one, laid over an object, which it changes."""
    for key, value in patch.items():
        if strategic and key.startswith("$"):
            continue  # directives about the order of lists
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            into[key] = merged(into.get(key) or {}, value, strategic=strategic)
        elif strategic and key in _KEYS and isinstance(into.get(key), list):
            into[key] = _by_key(into[key], value, _KEYS[key])
        else:
            into[key] = value
    return into


def _by_key(old: list[Any], new: list[Any], key: str) -> list[Any]:
    found = {one[key]: one for one in old}
    for one in new:
        if one.get("$patch") == "delete":
            found.pop(one[key], None)
        else:
            found[one[key]] = merged(found.get(one[key], {}), one, strategic=True)
    return list(found.values())


def applied(kept: Object, before: Object, now: Object) -> Object:
    """Server-side apply: what a manager applied ``before`` and does not now is taken away."""
    made = deepcopy(kept)
    _take_away(made, before, now)
    return merged(made, deepcopy(now), strategic=True)


def _take_away(made: Object, before: Object, now: Object) -> None:
    for key, old in before.items():
        if key not in now:
            made.pop(key, None)
            continue
        new, at = now[key], made.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and isinstance(at, dict):
            _take_away(at, old, new)
        elif key in _KEYS and isinstance(at, list):
            name = _KEYS[key]
            olds, news = ({one[name]: one for one in some} for some in (old, new))
            made[key] = [one for one in at if one[name] in news or one[name] not in olds]
            for one in made[key]:
                if one[name] in olds:
                    _take_away(one, olds[one[name]], news[one[name]])
