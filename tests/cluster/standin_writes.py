"""Objects of a stand-in API server as clients change them: create, update, patch, apply, delete."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.cluster.standin_http import status
from tests.cluster.standin_kinds import KINDS
from tests.cluster.standin_patch import applied, merged
from tests.cluster.standin_store import Happened, Object, Store

Answer = tuple[int, bytes]


@dataclass
class Controller:
    """Who looks at changes that clients make: ``admits`` before, with a refusal; ``sees`` after."""

    admits: Callable[[Object], str | None] = lambda item: None
    sees: Callable[[str, Object], None] = lambda how, item: None


@dataclass(frozen=True)
class Change:
    verb: str
    plural: str
    namespace: str
    name: str
    told: Any
    content_type: str
    dry: bool
    manager: str


@dataclass
class Writes:
    """Used within the server's loop."""

    store: Store
    publish: Callable[[Happened, str], None]
    controllers: list[Controller] = field(default_factory=list)
    _applied: dict[tuple[str, str, str, str], Object] = field(default_factory=dict)

    def answer(self, change: Change) -> Answer:
        """Do it, and the status and body that say so."""
        kept = self.find(change.plural, change.namespace, change.name)
        applying = change.content_type.startswith("application/apply-patch")
        if change.verb == "create":
            if kept is not None:
                told = f'{change.plural} "{change.name}" already exists'
                return 409, status(409, told, reason="AlreadyExists")
            return self._keep(change, change.told, None)
        if change.verb == "patch" and applying:
            return self._apply(change, kept)
        if kept is None:
            told = f'{change.plural} "{change.name}" not found'
            return 404, status(404, told, reason="NotFound")
        if change.verb == "get":
            return 200, self.store.shelves[change.plural].objects[
                (change.namespace, change.name)
            ].text
        if change.verb == "delete":
            return self._delete(change, kept)
        if change.verb == "update":
            asked = change.told["metadata"].get("resourceVersion")
            if asked and asked != kept["metadata"]["resourceVersion"]:
                told = "the object has been modified; please apply your changes to the latest"
                return 409, status(409, told, reason="Conflict")
            return self._keep(change, change.told, kept)
        strategic = "strategic" in change.content_type
        return self._keep(change, merged(dict(kept), change.told, strategic=strategic), kept)

    def find(self, plural: str, namespace: str, name: str) -> Object | None:
        kept = self.store.shelves[plural].objects.get((namespace, name))
        return None if kept is None else json.loads(kept.text)

    def all(self, plural: str) -> list[Object]:
        return [json.loads(one.text) for one in self.store.shelves[plural].objects.values()]

    def put(self, item: Object) -> None:
        """Keep it, and tell those who watch; controllers see it."""
        happened = self.store.put(item)
        self.publish(happened, item["kind"])
        self._seen(happened.how, item)

    def remove(self, item: Object, *, orphan: bool = False) -> None:
        """Take it away, and what it owns with it, or leave that without an owner."""
        about, kind = item["metadata"], item["kind"]
        self.publish(self.store.delete(kind, about.get("namespace", ""), about["name"]), kind)
        for plural in list(self.store.shelves):
            for one in self.all(plural):
                owners = one["metadata"].get("ownerReferences", [])
                left = [owner for owner in owners if owner["uid"] != about.get("uid")]
                if len(left) == len(owners):
                    continue
                if orphan:
                    one["metadata"]["ownerReferences"] = left
                    self.put(one)
                elif not left:
                    self.remove(one)
        self._seen("DELETED", item)

    def _seen(self, how: str, item: Object) -> None:
        for one in self.controllers:
            one.sees(how, item)

    def _apply(self, change: Change, kept: Object | None) -> Answer:
        key = (change.manager, change.plural, change.namespace, change.name)
        before = self._applied.get(key, {}) if kept else {}
        item = applied(kept or {}, before, change.told)
        if not change.dry:
            self._applied[key] = change.told
        return self._keep(change, item, kept)

    def _delete(self, change: Change, kept: Object) -> Answer:
        options = change.told or {}
        if not (change.dry or options.get("dryRun")):
            self.remove(kept, orphan=options.get("propagationPolicy") == "Orphan")
        details = {"name": change.name, "kind": change.plural, "uid": kept["metadata"].get("uid")}
        told = {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details}
        return 200, json.dumps(told).encode()

    def _keep(self, change: Change, item: Object, kept: Object | None) -> Answer:
        about = item["metadata"]
        for key in ("annotations", "labels"):
            if about.get(key) == {}:
                del about[key]
        if KINDS[change.plural].namespaced:
            about.setdefault("namespace", change.namespace)
            known = self.store.shelves["namespaces"].objects if kept is None else {}
            if known and ("", change.namespace) not in known:
                told = f'namespaces "{change.namespace}" not found'
                return 404, status(404, told, reason="NotFound")
        if kept is None:
            about.setdefault("uid", f"uid-{self.store.version + 1}")
            about.setdefault("creationTimestamp", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        else:
            about |= {
                key: kept["metadata"][key]
                for key in ("uid", "creationTimestamp")
                if key in kept["metadata"]
            }
            if "status" in kept:  # a subresource of its own
                item.setdefault("status", kept["status"])
        if change.plural == "secrets" and "stringData" in item:
            plain = item.pop("stringData")
            item["data"] = item.get("data", {}) | {
                key: base64.b64encode(value.encode()).decode() for key, value in plain.items()
            }
        for one in self.controllers:
            if told := one.admits(item):
                return 403, status(403, f"admission webhook denied the request: {told}")
        if not change.dry:
            self.put(item)
            item = self.find(change.plural, change.namespace, change.name) or item
        return (201 if kept is None else 200), json.dumps(item).encode()
