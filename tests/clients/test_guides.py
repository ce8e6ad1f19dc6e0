"""The guides' commands, and the chart's, by real kubectl and Helm's library."""

from __future__ import annotations

import base64
import re

import pytest
import yaml

from forecaster.cluster.client import connect
from tests.clients.controllers import rolled_out
from tests.clients.running import ROOT, Shell, needs_kubectl
from tests.cluster.reading import IMPATIENT, reading, write_kubeconfig
from tests.cluster.standin import StandIn

pytestmark = [pytest.mark.slow, needs_kubectl]

GUIDE = (ROOT / "docs" / "kubernetes.md").read_text()
OWN = next(
    block
    for block in re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.M | re.S)
    if "\nsettings:" in block
)


def command(start):
    """The block of the guide whose first line starts so."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.M | re.S)
    return next(block for block in blocks if block.startswith(start))


@pytest.fixture
def server():
    with StandIn() as server:
        rolled_out(server)
        yield server


@pytest.fixture
def shell(server, tmp_path):
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "own.yaml").write_text(OWN)
    return Shell(server, tmp_path, tmp_path / "tools")


def kept(server):
    """All objects but Helm's own and namespaces, as kind/name."""
    found = (one for plural in server.store.shelves for one in server.writes.all(plural))
    return {
        f"{one['kind']}/{one['metadata']['name']}"
        for one in found
        if one["kind"] != "Namespace" and not one["metadata"]["name"].startswith("sh.helm")
    }


def test_the_chart_is_installed_changed_and_taken_back(server, shell):
    shell.run(command("kubectl apply --filename deploy/manifests/namespace"))
    install = command("helm upgrade --install")
    notes = shell.run(install)
    plain = {
        "Deployment/preroll",
        "Service/preroll",
        "ConfigMap/preroll",
        "ServiceAccount/preroll",
        "NetworkPolicy/preroll",
        "PersistentVolumeClaim/preroll",
        "Secret/preroll-tokens",
    }
    assert kept(server) == plain
    rollout = "kubectl rollout status deployment/preroll --namespace preroll --timeout 10m"
    assert rollout in notes
    assert rollout in command("kubectl rollout status")
    assert "successfully rolled out" in shell.run(rollout)
    own = yaml.safe_load(OWN)
    own["settings"]["kubernetes"] = {"watch": True}
    (shell.folder / "own.yaml").write_text(yaml.safe_dump(own))
    shell.run(command("helm upgrade preroll"))
    rights = {"ClusterRole/preroll", "ClusterRoleBinding/preroll"}
    pod = server.writes.find("deployments", "preroll", "preroll")["spec"]["template"]["spec"]
    assert kept(server) == plain | rights
    assert pod["automountServiceAccountToken"] is True
    shell.run("helm rollback preroll --namespace preroll")
    pod = server.writes.find("deployments", "preroll", "preroll")["spec"]["template"]["spec"]
    assert kept(server) == plain
    assert pod["automountServiceAccountToken"] is False
    shell.run("helm uninstall preroll --namespace preroll")
    assert kept(server) == {"PersistentVolumeClaim/preroll", "Secret/preroll-tokens"}
    shell.run(install)
    assert kept(server) == plain | rights


def test_the_plain_manifests_are_applied_twice(server, shell):
    (shell.folder / "deploy").unlink()
    shell.run(f"mkdir deploy && cp -r {ROOT}/deploy/manifests deploy/manifests")
    block = command("token=$(openssl")
    assert "created" in shell.run(block)
    said = shell.run("kubectl apply --kustomize deploy/manifests").splitlines()
    assert len(said) == 8
    assert all(line.endswith("unchanged") for line in said if "secret" not in line), said
    token = server.writes.find("secrets", "preroll", "preroll-tokens")["data"]["tokens"]
    assert "REPLACE" not in base64.b64decode(token).decode()


def test_scaled_objects_are_applied_and_an_annotation_takes_effect(server, shell, tmp_path):
    shell.run("kubectl create namespace streaming; kubectl create namespace accounts")
    config = ROOT / "deploy" / "examples" / "preroll.yaml"
    said = shell.run(f"preroll scaledobject --config {config} | kubectl apply -f -")
    assert "scaledobject.keda.sh/player-api created" in said
    again = shell.run(f"preroll scaledobject --config {config} | kubectl apply -f -")
    assert set(again.split()[1::2]) == {"unchanged"}
    kubeconfig = write_kubeconfig(tmp_path / "reader", server.url, None)
    with reading(connect(kubeconfig, timeouts=IMPATIENT)) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        assert reader.capacity_of("player-api") is None
        shell.run(
            "kubectl annotate scaledobject player-api --namespace streaming "
            "preroll.io/enabled=true preroll.io/capacity=120"
        )
        reader.until(lambda: reader.capacity_of("player-api") == "120")
        shell.run(
            "kubectl annotate scaledobject player-api --namespace streaming preroll.io/capacity-"
        )
        reader.until(lambda: reader.capacity_of("player-api") is None)
