"""The old set-up as the cluster has it: the same objects that manifests would hold, read by HTTP.

Only read, never written. What may not be read is left out and told with the rule that is missing,
except for the HPAs: without them there is nothing to move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    Resource,
)
from forecaster.cluster.rights import rule_text
from forecaster.cluster.whole import (
    API_SERVICES,
    PRESCALING_EVENTS,
    Whole,
    one_object,
    whole_objects,
)
from forecaster.errors import ClusterRefused
from forecaster.keda import without_server_fields
from forecaster.migration.adapter_in_cluster import (
    Place,
    named_configurations,
    usual_configurations,
)
from forecaster.migration.manifests import Manifest, as_mapping, manifest_of

__all__ = ["STEPS", "ClusterManifests", "Place", "read_cluster"]

STEPS = 7
"""How many kinds are read, each a step of the progress."""

_SOURCE = "cluster"
_APIS = ("v1beta1.custom.metrics.k8s.io", "v1beta1.external.metrics.k8s.io")


@dataclass(frozen=True)
class ClusterManifests:
    """``missing`` are the rights that were missing and what is left out for it; ``notes`` what the
    cluster does not have."""

    manifests: tuple[Manifest, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def read_cluster(
    client: ClusterClient,
    namespaces: Sequence[str] = (),
    adapters: Sequence[Place] = (),
    advance: Callable[[], None] = lambda: None,
) -> ClusterManifests:
    """HPAs, what they scale, events, the adapter's rules, and who answers the metrics APIs.

    ``namespaces`` are those whose HPAs are read, all where empty; events and the adapter stand in
    others, so they are looked for everywhere, and in ``namespaces`` where that is not allowed.
    ``adapters`` are the adapter's ConfigMaps, where their names are not the usual ones.

    ClusterRefused where HPAs, or a ConfigMap that was named, cannot be read; ClusterUnavailable
    where the API server does not answer.
    """
    return _Reading(client, tuple(sorted(set(namespaces))), tuple(adapters), advance).all()


class _Reading:
    def __init__(
        self,
        client: ClusterClient,
        namespaces: tuple[str, ...],
        adapters: tuple[Place, ...],
        advance: Callable[[], None],
    ) -> None:
        self._client = client
        self._namespaces, self._adapters = namespaces, adapters
        self._advance = advance
        self._missing: list[str] = []
        self._notes: list[str] = []

    def all(self) -> ClusterManifests:
        autoscalers = self._autoscalers()
        found = [*autoscalers, *self._scaled(autoscalers)]
        found += self._beside(
            SCALED_OBJECTS, "whether a workload has a ScaledObject already is not known"
        )
        found += self._events()
        apis = self._apis()
        found += [*self._configurations(apis), *apis]
        manifests = tuple(manifest_of(without_server_fields(one), _SOURCE) for one in found)
        return ClusterManifests(manifests, tuple(self._missing), tuple(self._notes))

    def _autoscalers(self) -> list[Whole]:
        found: list[Whole] = []
        for namespace in self._namespaces or (None,):
            try:
                found += whole_objects(self._client, AUTOSCALERS, namespace)
            except ClusterRefused as error:
                if error.status == 401:
                    who = "the API server does not know these credentials; log in anew"
                    raise ClusterRefused(f"{error}: {who}, or name another --context") from error
                if error.status != 403:
                    raise
                narrower = "" if namespace else "; or name what may be read, --namespace streaming"
                raise ClusterRefused(
                    f"{error}. Without HPAs there is nothing to move: allow "
                    f"{rule_text(AUTOSCALERS, ('list',))}{narrower}",
                    status=403,
                ) from error
        self._advance()
        return found

    def _scaled(self, autoscalers: Iterable[Whole]) -> Iterator[Whole]:
        """The workloads behind the HPAs, for what one pod requests."""
        wanted = {_target(one) for one in autoscalers}
        why = "what a pod requests is not known, so no capacity follows from a share of its CPU"
        for resource in (DEPLOYMENTS, STATEFUL_SETS):
            for one in self._beside(resource, why):
                about = one["metadata"]
                if (resource.kind, about.get("namespace"), about["name"]) in wanted:
                    yield one

    def _events(self) -> list[Whole]:
        why = "events.yaml has none of the events that the exporter knows"
        return self._everywhere(
            PRESCALING_EVENTS,
            why,
            absent="there are no PrescalingEvents, for the cluster does not know "
            f"{PRESCALING_EVENTS.full_name}: daily windows of HPAs are all that is moved",
        )

    def _apis(self) -> list[Whole]:
        found = []
        for name in _APIS:
            try:
                found.append(one_object(self._client, API_SERVICES, None, name))
            except ClusterRefused as error:
                if error.status == 403:
                    why = f"who answers {name.partition('.')[2]} is not known"
                    self._lacks(API_SERVICES, None, why, "get")
                elif error.status != 404:
                    raise
        self._advance()
        return found

    def _configurations(self, apis: list[Whole]) -> list[Whole]:
        if self._adapters:
            found = named_configurations(self._client, self._adapters)
        else:
            found, missing, note = usual_configurations(self._client, apis, self._namespaces)
            self._missing += [missing] if missing else []
            self._notes += [note] if note else []
        self._advance()
        return found

    def _everywhere(self, resource: Resource, why: str, absent: str = "") -> list[Whole]:
        """A kind in all namespaces, else in those that are named."""
        try:
            found = whole_objects(self._client, resource)
        except ClusterRefused as error:
            if error.status == 403 and self._namespaces:
                elsewhere = "those of other namespaces are left out; name theirs with --namespace"
                self._lacks(resource, None, elsewhere)
                return self._beside(resource, why, absent)
            found = self._without(resource, None, error, why, absent)
        self._advance()
        return found

    def _beside(self, resource: Resource, why: str, absent: str = "") -> list[Whole]:
        """A kind in the namespaces of the HPAs; what may not be read is told with ``why``."""
        found: list[Whole] = []
        for namespace in self._namespaces or (None,):
            try:
                found += whole_objects(self._client, resource, namespace)
            except ClusterRefused as error:
                found += self._without(resource, namespace, error, why, absent)
        self._advance()
        return found

    def _without(
        self,
        resource: Resource,
        namespace: str | None,
        error: ClusterRefused,
        why: str,
        absent: str,
    ) -> list[Whole]:
        if error.status == 404:
            if absent and absent not in self._notes:
                self._notes.append(absent)
        elif error.status == 403:
            self._lacks(resource, namespace, why)
        else:
            raise error
        return []

    def _lacks(
        self, resource: Resource, namespace: str | None, why: str, verb: str = "list"
    ) -> None:
        everywhere = " in all namespaces" if self._namespaces and resource.namespaced else ""
        where = f" in {namespace}" if namespace else everywhere
        self._missing.append(
            f"{resource.full_name} may not be read{where}: {why}; allow "
            f"{rule_text(resource, (verb,))}"
        )


def _target(one: Whole) -> tuple[str, str | None, str]:
    target = as_mapping(as_mapping(one.get("spec")).get("scaleTargetRef"))
    namespace = one["metadata"].get("namespace")
    return str(target.get("kind") or "Deployment"), namespace, str(target.get("name") or "")
