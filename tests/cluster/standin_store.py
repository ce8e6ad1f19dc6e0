"""The objects of a stand-in API server, with their versions and what happened to them lately."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.standin_kinds import KINDS

Object = dict[str, Any]


@dataclass
class Kept:
    """An object as it is sent."""

    namespace: str
    name: str
    text: bytes


@dataclass
class Happened:
    version: int
    how: str
    kept: Kept


@dataclass
class Shelf:
    """All objects of a kind, and the changes that watches may still go on from."""

    kind: str
    api_version: str
    objects: dict[tuple[str, str], Kept] = field(default_factory=dict)
    history: deque[Happened] = field(default_factory=lambda: deque(maxlen=20_000))
    forgotten: int = 0  # the last version that no watch can go on from


def fits(kept: Kept, label: str, field: str) -> bool:
    labels = json.loads(kept.text)["metadata"].get("labels") or {}
    pairs = [one.partition("=") for one in label.split(",") if one]
    name = field.removeprefix("metadata.name=")
    return all(labels.get(key) == value for key, _, value in pairs) and name in ("", kept.name)


class Store:
    """As etcd: one version for all, which every change raises."""

    def __init__(self) -> None:
        self.version = 1000
        self.shelves = {one.plural: Shelf(one.name, one.api_version) for one in KINDS.values()}
        self._plurals = {shelf.kind: plural for plural, shelf in self.shelves.items()}
        self._snapshots: dict[str, tuple[int, list[Kept]]] = {}

    def plural_of(self, kind: str) -> str:
        return self._plurals[kind]

    def put(self, item: Object) -> Happened:
        """Add it, or change it where there is one of its name; its version is set."""
        about = item["metadata"]
        shelf = self.shelves[self._plurals[item["kind"]]]
        key = (about.get("namespace", ""), about["name"])
        self.version += 1
        about["resourceVersion"] = str(self.version)
        kept = Kept(*key, json.dumps(item, separators=(",", ":")).encode())
        how = "MODIFIED" if key in shelf.objects else "ADDED"
        shelf.objects[key] = kept
        return self._happened(shelf, how, kept)

    def delete(self, kind: str, namespace: str, name: str) -> Happened:
        shelf = self.shelves[self._plurals[kind]]
        kept = shelf.objects.pop((namespace, name))
        self.version += 1
        item = json.loads(kept.text)
        item["metadata"]["resourceVersion"] = str(self.version)
        last = Kept(namespace, name, json.dumps(item, separators=(",", ":")).encode())
        return self._happened(shelf, "DELETED", last)

    def _happened(self, shelf: Shelf, how: str, kept: Kept) -> Happened:
        happened = Happened(self.version, how, kept)
        if len(shelf.history) == shelf.history.maxlen:
            shelf.forgotten = shelf.history[0].version
        shelf.history.append(happened)
        return happened

    def forget(self) -> None:
        """Compaction: no watch can go on from before now, and no list from its token."""
        self.version += 1
        for shelf in self.shelves.values():
            shelf.history.clear()
            shelf.forgotten = self.version - 1
        self._snapshots.clear()

    def page(
        self,
        plural: str,
        namespace: str | None,
        limit: int,
        token: str,
        selecting: tuple[str, str] = ("", ""),
    ) -> bytes | None:
        """A page of a list; None where the token is too old.

        ``selecting`` are a label selector (``key=value``, …) and a field selector of a name.
        """
        shelf = self.shelves[plural]
        if token:
            snapshot, _, at = token.rpartition(".")
            found = self._snapshots.get(snapshot)
            if found is None:
                return None
            version, kept = found
            start = int(at)
        else:
            version = self.version
            kept = [
                one
                for (place, _), one in shelf.objects.items()
                if namespace in (None, place) and (not any(selecting) or fits(one, *selecting))
            ]
            snapshot, start = f"{plural}-{namespace or ''}-{version}-{'-'.join(selecting)}", 0
        end = start + limit if limit else len(kept)
        about: Object = {"resourceVersion": str(version)}
        if end < len(kept):
            self._snapshots[snapshot] = (version, kept)
            about |= {"continue": f"{snapshot}.{end}", "remainingItemCount": len(kept) - end}
        head = {"kind": f"{shelf.kind}List", "apiVersion": shelf.api_version, "metadata": about}
        items = b",".join(one.text for one in kept[start:end])
        return json.dumps(head).encode()[:-1] + b',"items":[' + items + b"]}"

    def since(self, plural: str, version: int) -> list[Happened] | None:
        """What happened after ``version``; None where that is too long ago."""
        shelf = self.shelves[plural]
        if version < shelf.forgotten:
            return None
        return [one for one in shelf.history if one.version > version]
