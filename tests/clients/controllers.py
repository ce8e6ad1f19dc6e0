"""Who acts in a cluster by itself, as far as the guides' commands wait for it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.cluster.standin import StandIn
from tests.cluster.standin_store import Object
from tests.cluster.standin_writes import Controller, Writes

TRANSFER = "scaledobject.keda.sh/transfer-hpa-ownership"
EXTERNAL = "v1beta1.external.metrics.k8s.io"


def rolled_out(server: StandIn) -> None:
    """Deployments have all of their replicas at once."""

    def sees(how: str, item: Object) -> None:
        if item["kind"] != "Deployment" or how == "DELETED":
            return
        count = item["spec"].get("replicas", 1)
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": 1, **dict.fromkeys(counts, count)}
        if item.get("status") != status:
            item["metadata"]["generation"] = 1
            server.writes.put(item | {"status": status})

    server.writes.controllers.append(Controller(sees=sees))


def empties_namespaces(server: StandIn) -> None:
    """A namespace that is deleted takes along what is in it."""

    def sees(how: str, item: Object) -> None:
        if (item["kind"], how) == ("Namespace", "DELETED"):
            for plural in server.store.shelves:
                for one in server.writes.all(plural):
                    if one["metadata"].get("namespace") == item["metadata"]["name"]:
                        server.writes.remove(one)

    server.writes.controllers.append(Controller(sees=sees))


class Keda:
    """KEDA's webhook and operator, which work while KEDA owns the external metrics API."""

    def __init__(self, server: StandIn) -> None:
        self._writes: Writes = server.writes
        server.writes.controllers.append(Controller(self._admits, self._sees))

    def _works(self) -> bool:
        found = self._writes.find("apiservices", "", EXTERNAL)
        return found is not None and found["spec"]["service"]["namespace"] == "keda"

    def _admits(self, item: Object) -> str | None:
        if item["kind"] != "ScaledObject":
            return None
        if not self._works():
            return "no endpoints available for service keda-admission-webhooks"
        about, wanted = item["metadata"], _hpa_name(item)
        for hpa in self._hpas(item):
            owners = [owner["name"] for owner in hpa["metadata"].get("ownerReferences", [])]
            moves = about.get("annotations", {}).get(TRANSFER) == "true"
            if about["name"] not in owners and not (moves and hpa["metadata"]["name"] == wanted):
                return f"the workload is already managed by the hpa {hpa['metadata']['name']}"
        return None

    def _hpas(self, scaled: Object) -> list[Object]:
        target = scaled["metadata"]["namespace"], scaled["spec"]["scaleTargetRef"]["name"]
        found = self._writes.all("horizontalpodautoscalers")
        return [one for one in found if target_of(one) == target]

    def _sees(self, how: str, item: Object) -> None:
        if item["kind"] != "ScaledObject" or how == "DELETED" or "status" in item:
            return
        about, spec, name = item["metadata"], item["spec"], _hpa_name(item)
        kept = self._writes.find("horizontalpodautoscalers", about["namespace"], name) or {}
        owner = {"apiVersion": item["apiVersion"], "kind": "ScaledObject", "name": about["name"]}
        self._writes.put(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {
                    "uid": f"uid-{name}",
                    **kept.get("metadata", {}),
                    "name": name,
                    "namespace": about["namespace"],
                    "ownerReferences": [{**owner, "uid": about["uid"], "controller": True}],
                },
                "spec": {
                    "scaleTargetRef": {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        **spec["scaleTargetRef"],
                    },
                    "minReplicas": spec["minReplicaCount"],
                    "maxReplicas": spec["maxReplicaCount"],
                    "metrics": [_metric(one) for one in spec["triggers"]],
                },
            }
        )
        ready = [{"type": "Ready", "status": "True"}]
        self._writes.put(item | {"status": {"conditions": ready, "hpaName": name}})


def _hpa_name(scaled: Object) -> str:
    config = scaled["spec"].get("advanced", {}).get("horizontalPodAutoscalerConfig", {})
    return str(config.get("name") or f"keda-hpa-{scaled['metadata']['name']}")


def _metric(trigger: Object) -> Object:
    if trigger["type"] in ("cpu", "memory"):
        share = int(trigger["metadata"]["value"])
        target: Any = {"type": "Utilization", "averageUtilization": share}
        return {"type": "Resource", "resource": {"name": trigger["type"], "target": target}}
    target = {"type": "AverageValue", "averageValue": "1"}
    return {"type": "External", "external": {"metric": {"name": trigger["type"]}, "target": target}}


def target_of(hpa: Object) -> tuple[str, str]:
    return hpa["metadata"]["namespace"], hpa["spec"]["scaleTargetRef"]["name"]


class Guard:
    """Looks after every change, however short it lasts, at how many HPAs a workload has."""

    def __init__(self, server: StandIn, workloads: set[tuple[str, str]]) -> None:
        self.wrong: list[tuple[str, dict[tuple[str, str], int]]] = []
        self._workloads, self._writes = workloads, server.writes
        server.writes.controllers.append(Controller(sees=self._sees))

    def _sees(self, how: str, item: Object) -> None:
        found = Counter(target_of(one) for one in self._writes.all("horizontalpodautoscalers"))
        counts = {one: found[one] for one in self._workloads}
        if set(counts.values()) != {1}:
            self.wrong.append((f"{how} {item['kind']} {item['metadata']['name']}", counts))
