"""What the chart's roles grant is what a running service asks of the API server."""

from dataclasses import dataclass

import pytest

from forecaster.settings import Fleet, KubernetesSettings
from forecaster.worker import Service, open_store, utc_now
from tests.cluster.objects import autoscaler, scaled, scaled_object
from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import Asked, StandIn
from tests.deploy.chart import Chart
from tests.worker.sources import STEP, TraceSource
from tests.worker.test_service import until

pytestmark = pytest.mark.slow

SETTINGS = {
    "source": {"prometheus": {"url": "http://prometheus.monitoring.svc:9090", "query": "up"}},
}


@dataclass(frozen=True)
class Right:
    """One verb on one resource; in one namespace, or everywhere."""

    group: str
    resource: str
    verb: str
    namespace: str | None

    def allows(self, asked: Asked) -> bool:
        where = self.namespace is None or self.namespace == asked.namespace
        return where and (self.group, self.resource, self.verb) == (
            asked.group,
            asked.plural,
            asked.verb,
        )


def granted(kubernetes):
    """The rights of the chart's roles, one by one."""
    chart = Chart({"settings": SETTINGS | {"kubernetes": kubernetes}})
    return {
        Right(group, resource, verb, role["metadata"].get("namespace"))
        for role in (*chart.all("Role"), *chart.all("ClusterRole"))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("namespaces", [(), ("streaming", "accounts")], ids=["all", "two"])
def test_every_right_is_used_and_nothing_else_is_asked(tmp_path, namespaces):
    kubernetes = {"watch": True, "nodes": True, "events": True, "namespaces": list(namespaces)}
    rights = granted(kubernetes)
    refused = []

    def allows(asked):
        fine = any(right.allows(asked) for right in rights)
        if not fine:
            refused.append(asked)
        return fine

    with StandIn(tokens={"right"}, allows=allows) as server:
        settings = KubernetesSettings(
            kubeconfig=write_kubeconfig(tmp_path / "kubeconfig", server.url),
            **kubernetes | {"namespaces": namespaces},
        )
        for namespace in ("streaming", "accounts"):
            broken = {"preroll.io/enabled": "true", "preroll.io/capacity": "lots"}
            server.put(scaled(namespace=namespace))
            server.put(autoscaler(namespace=namespace))
            server.put(scaled_object("page", namespace=namespace, annotations=broken))
        store = open_store(tmp_path / "preroll.sqlite", utc_now())
        source = TraceSource(())

        def unused():
            return {one for one in rights if not any(one.allows(asked) for asked in server.asked)}

        with Service(Fleet((), step=STEP), source, store, kubernetes=settings, tick_seconds=0.05):
            # "get" goes with "list", which shows the same; the service itself never asks so.
            until(lambda: {one.verb for one in unused()} <= {"get"}, seconds=30)
        assert refused == []
        listed = {(one.group, one.resource) for one in rights if one.verb == "list"}
        assert {(one.group, one.resource) for one in unused()} <= listed
