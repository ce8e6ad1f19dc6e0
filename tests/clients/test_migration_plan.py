"""The commands of a generated PLAN.md, run by real kubectl and Helm's library."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.clients.charts import write_charts
from tests.clients.controllers import EXTERNAL, Guard, Keda, empties_namespaces, rolled_out
from tests.clients.running import ROOT, Shell, kubectl_minor, needs_kubectl
from tests.cluster.standin import StandIn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # dozens of commands, a process each
    needs_kubectl,
    pytest.mark.skipif(shutil.which("jq") is None, reason="no jq here"),
]

EXAMPLE = ROOT / "deploy" / "examples" / "migration"
WORKLOADS = {("accounts", "login"), ("streaming", "manifest"), ("streaming", "player-api")}
HPAS = ("accounts/login", "streaming/manifest-hpa", "streaming/player-api")
PAUSE = (
    "kubectl annotate scaledobject login --namespace accounts autoscaling.keda.sh/paused-scale-in"
)
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: prescalingevents.prescaling.bedrock.tech}
"""


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: prometheus-adapter, namespace: monitoring}
spec: {template: {metadata: {labels: {app: prometheus-adapter}}}}
"""
BY_CHART = (
    "helm install prometheus-adapter prometheus-community/prometheus-adapter "
    "--namespace monitoring --values adapter.yaml"
)


class Plan:
    """PLAN.md's commands, by the heading that they stand under."""

    def __init__(self, text: str) -> None:
        self._blocks: dict[str, list[str]] = {}
        heading = ""
        for found in re.finditer(r"^#+ ([^\n]*)$|^```sh\n(.*?)^```$", text, re.M | re.S):
            if found[1]:
                heading = found[1]
            else:
                self._blocks.setdefault(heading, []).append(found[2])

    def the(self, heading: str, start: str) -> str:
        """The block under a heading that has a line which starts so."""
        (found,) = [
            block
            for name, blocks in self._blocks.items()
            if name.startswith(heading)
            for block in blocks
            if re.search(f"^{re.escape(start)}", block, re.M)
        ]
        return found.replace("path/to/preroll", str(ROOT))


class Migration:
    """A cluster with the old set-up, and the folder that the migration was written to."""

    def __init__(self, server: StandIn, folder: Path, *, chart: bool) -> None:
        home = folder / "home"
        home.mkdir()
        self.server, self.shell = server, Shell(server, home, folder / "tools")
        write_charts(self.shell.charts)
        rolled_out(server)
        empties_namespaces(server)
        for name in ("streaming", "accounts", "monitoring", "prescaling"):
            self.shell.run(f"kubectl create namespace {name}")
        adapter = list(yaml.safe_load_all((EXAMPLE / "prometheus-adapter.yaml").read_text()))
        rules = yaml.safe_load(adapter[0]["data"]["config.yaml"])["externalRules"]
        (home / "adapter.yaml").write_text(json.dumps({"rules": {"external": rules}}))
        (home / "by-hand.yaml").write_text(DEPLOYMENT)
        (home / "crd.yaml").write_text(CRD)
        adapter_file = EXAMPLE / "prometheus-adapter.yaml"
        by_hand = f"kubectl apply --filename {adapter_file} --filename by-hand.yaml"
        self.shell.run(
            (BY_CHART if chart else by_hand) + "\n"
            "helm install prescaling-exporter any/prescaling-exporter "
            "--namespace prescaling-exporter --create-namespace\n"
            f"kubectl apply --filename {EXAMPLE / 'autoscalers.yaml'} "
            f"--filename {EXAMPLE / 'deployments.yaml'} --filename {EXAMPLE / 'events.yaml'} "
            "--filename crd.yaml"
        )
        read = str(EXAMPLE)
        if chart:
            read = "--cluster --adapter-configmap monitoring/prometheus-adapter"
        self.shell.run(f"preroll migrate {read} --timezone Europe/Paris --output new")
        self.shell.folder = home / "new"
        self.plan = Plan((self.shell.folder / "PLAN.md").read_text())
        self.keda = Keda(server)
        self.guard = Guard(server, WORKLOADS)
        self.before = self.specs()

    def run(self, heading: str, start: str) -> str:
        return self.shell.run(self.plan.the(heading, start))

    def hpas(self) -> dict[str, dict[str, object]]:
        found = self.server.writes.all("horizontalpodautoscalers")
        return {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one for one in found}

    def specs(self) -> dict[str, object]:
        return {name: one["spec"] for name, one in self.hpas().items()}

    def owned(self) -> set[str]:
        return {n for n, one in self.hpas().items() if one["metadata"].get("ownerReferences")}

    def api_of(self) -> str | None:
        """The namespace of who owns the external metrics API."""
        found = self.server.writes.find("apiservices", "", EXTERNAL)
        return None if found is None else found["spec"]["service"]["namespace"]

    def data(self, name: str) -> dict[str, str]:
        found = self.server.writes.all("configmaps")
        return next(one["data"] for one in found if one["metadata"]["name"] == name)

    def settings(self) -> dict[str, str]:
        return self.data("preroll")

    def rules(self) -> str:
        return self.data("prometheus-adapter")["config.yaml"]

    def paused(self) -> set[str | None]:
        key, found = "autoscaling.keda.sh/paused-scale-in", self.server.writes.all("scaledobjects")
        return {one["metadata"]["annotations"].get(key) for one in found}

    def names(self, plural: str) -> set[str]:
        return {one["metadata"]["name"] for one in self.server.writes.all(plural)}


@pytest.fixture(params=[True, False], ids=["adapter by its chart", "adapter by hand"])
def by_chart(request):
    return request.param


@pytest.fixture
def moving(tmp_path, by_chart):
    with StandIn() as server:
        yield Migration(server, tmp_path, chart=by_chart)


def test_the_plan_leads_there_and_all_the_way_back(moving, by_chart):
    if kubectl_minor() >= 27:  # older ones refuse a dry run of what the stand-in does not describe
        assert moving.run("1. Keep", "kubectl diff") == ""
    moving.run("2. Preroll", "sed -i.bak")
    tokens = moving.plan.the("2. Preroll", "kubectl create namespace preroll")
    install = moving.plan.the("2. Preroll", "helm upgrade --install")
    moving.shell.run(tokens + install)
    assert moving.settings().keys() == {"preroll.yaml", "events.yaml"}
    moving.run("2. Preroll", "helm uninstall")
    assert "preroll" not in moving.names("deployments") | moving.names("namespaces")
    assert not {"preroll-tokens", "preroll-token"} & moving.names("secrets")
    moving.shell.run(tokens + install)

    assert moving.run("4. Make", "preroll migrate --cluster").endswith("next.\n")
    moving.run("4. Make", "cp events.yaml")
    assert set(moving.run("4. Make", "kubectl get hpa").split()) == set(HPAS)
    moving.run("4. Make", "sed -i.bak 's/^  mode: shadow")
    assert "  mode: active" in moving.settings()["preroll.yaml"]
    moving.run("4. Make", "sed -i.bak 's/^  mode: active")
    assert "  mode: shadow" in moving.settings()["preroll.yaml"]
    moving.run("4. Make", "sed -i.bak 's/^  mode: shadow")

    def free():
        moving.run("External", "helm upgrade prometheus-a" if by_chart else "kubectl edit configm")
        assert moving.api_of() is None
        assert "externalRules" not in moving.rules()
        moving.run("External", "helm upgrade --install keda")
        assert moving.api_of() == "keda"

    def without_chart(block):
        """The lines that say what to do instead."""
        return block if by_chart else block.replace("helm rollback", "# helm rollback")

    assert moving.api_of() == "monitoring"
    rules = moving.rules()
    free()
    assert moving.specs() == moving.before
    moving.shell.run(without_chart(moving.plan.the("External", "helm uninstall keda")))
    if not by_chart:
        moving.run("External", "kubectl replace")
    assert (moving.api_of(), moving.rules()) == ("monitoring", rules)
    free()

    moving.run("Each workload", "kubectl apply --filename trigger-authentication.yaml")
    for (namespace, workload), hpa in zip(sorted(WORKLOADS), HPAS, strict=True):
        name = f"{namespace}/{workload}"
        forward = moving.plan.the(name, "kubectl apply --filename scaledobjects/")
        if kubectl_minor() < 27:  # these know no autoscaling/v2
            forward = re.sub(r"^kubectl describe.*$", "", forward, flags=re.M)
        moving.shell.run(forward)
        assert hpa in moving.owned()
        moving.run(name, "kubectl delete scaledobject")
        assert hpa not in moving.owned()
        assert moving.specs()[hpa] == moving.before[hpa]
        moving.shell.run(forward)
    assert moving.owned() == set(HPAS) == set(moving.specs())
    for name, spec in moving.specs().items():
        assert "metrics-api" in {
            one["external"]["metric"]["name"] for one in spec["metrics"] if "external" in one
        }
        for bound in ("minReplicas", "maxReplicas"):
            assert spec[bound] == moving.before[name][bound]

    moving.run("6. The first", f"{PAUSE}=true")
    assert moving.paused() == {"true"}
    moving.run("6. The first", f"{PAUSE}-")
    assert moving.paused() == {None}
    assert moving.guard.wrong == []

    back = without_chart(moving.plan.the("All the way back", "kubectl delete scaledobject"))
    moving.shell.run(back if by_chart else back.replace("# kubectl", "kubectl"))
    assert moving.specs() == moving.before
    assert moving.owned() == set() == moving.names("scaledobjects")
    assert (moving.api_of(), moving.rules()) == ("monitoring", rules)
    moving.run("7. Tidy", "kubectl get prescalingevents")
    kept = yaml.safe_load((moving.shell.folder / "backup" / "prescalingevents.yaml").read_text())
    assert len(kept["items"]) == 4
    assert moving.guard.wrong == []
