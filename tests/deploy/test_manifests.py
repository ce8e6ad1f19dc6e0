from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.documents import (
    MANIFESTS,
    ROOT,
    SCALED_OBJECT,
    Document,
    container,
    container_port,
    documents,
    manifest_files,
    parse,
    pod,
    the,
    variables,
)

KUBERNETES = ["1.29", "1.33", "1.35", "1.37"]
OF_KEDA = {"ScaledObject", "TriggerAuthentication"}


def identity(document: Document) -> str:
    metadata = document["metadata"]
    return f"{document['kind']} {metadata.get('namespace', '-')}/{metadata['name']}"


def in_server_namespace() -> list[Document]:
    return [one for one in documents() if one["metadata"].get("namespace") == "preroll"]


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: {b: 1, b: 2}"], ids=["top", "inner"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="again"):
        parse(text)


@pytest.mark.parametrize("path", manifest_files(), ids=lambda path: path.name)
def test_every_document_is_an_object_of_kubernetes(path: Path) -> None:
    assert parse(path.read_text())


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_fits_the_schema_of_kubernetes(version: str) -> None:
    checked = [one for one in documents() if one["kind"] not in OF_KEDA]
    assert len(checked) >= 9
    for document in checked:
        kubernetes_validate.validate(document, version, strict=True)


def test_the_schema_refuses_a_misspelt_field() -> None:
    wrong = copy.deepcopy(the("Deployment"))
    probe = wrong["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    probe["timeoutSecond"] = probe.pop("timeoutSeconds")
    with pytest.raises(kubernetes_validate.ValidationError, match="timeoutSecond"):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


def test_names_are_labels_of_at_most_63_characters_and_unique() -> None:
    assert len({identity(one) for one in documents()}) == len(list(documents()))
    for document in documents():
        name = document["metadata"]["name"]
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name), name
    hpa = "keda-hpa-" + the("ScaledObject")["metadata"]["name"]
    assert len(hpa) <= 63


def test_the_kustomization_lists_the_server_and_nothing_of_a_workload() -> None:
    (kustomization,) = parse((MANIFESTS / "kustomization.yaml").read_text())
    listed = [MANIFESTS / name for name in kustomization["resources"]]
    assert len(set(listed)) == len(listed)
    rest = {path.name for path in set(manifest_files()) - set(listed)}
    assert rest == {"trigger-authentication.yaml", SCALED_OBJECT.name}
    for path in listed:
        for document in parse(path.read_text()):
            home = document["metadata"].get("namespace", document["metadata"]["name"])
            assert home == "preroll", identity(document)


def test_the_namespace_asks_for_the_restricted_level() -> None:
    labels = the("Namespace")["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_the_pod_is_hardened() -> None:
    spec, own = pod(), container()["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert the("ServiceAccount")["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0 < spec["securityContext"]["runAsGroup"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in own and "add" not in own["capabilities"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert not any("hostPath" in volume for volume in spec["volumes"])


def test_the_pod_runs_as_the_images_user_with_the_volume_in_its_group() -> None:
    context = pod()["securityContext"]
    user = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user == [(str(context["runAsUser"]), str(context["runAsGroup"]))]
    assert context["fsGroup"] == context["runAsGroup"]


def test_memory_is_limited_and_cpu_is_asked_for_without_a_limit() -> None:
    resources = container()["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


def test_every_probe_asks_the_containers_port() -> None:
    probes = {name: container()[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    for name, probe in probes.items():
        assert container_port(probe["httpGet"]["port"]) == 8080
        assert set(probe["httpGet"]) == {"path", "port"}, "no token is needed"
        assert probe["timeoutSeconds"] <= probe["periodSeconds"], name
    assert probes["liveness"]["httpGet"]["path"] == probes["startup"]["httpGet"]["path"]
    assert probes["readiness"]["httpGet"]["path"] != probes["liveness"]["httpGet"]["path"]


def test_a_stop_has_more_time_than_the_service_takes() -> None:
    assert pod()["terminationGracePeriodSeconds"] >= 10


def test_one_pod_owns_the_volume() -> None:
    spec = the("Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert the("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_selectors_find_the_pod() -> None:
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"]
    for selector in (
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("Service")["spec"]["selector"],
        the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector and selector.items() <= labels.items()


def test_whatever_the_pod_refers_to_is_there() -> None:
    there = {(one["kind"], one["metadata"]["name"]): one for one in in_server_namespace()}
    spec = pod()
    assert ("ServiceAccount", spec["serviceAccountName"]) in there
    for volume in spec["volumes"]:
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"]["claimName"]
            assert ("PersistentVolumeClaim", name) in there
        for source in volume.get("projected", {}).get("sources", []):
            for key, kind, data in (
                ("configMap", "ConfigMap", "data"),
                ("secret", "Secret", "stringData"),
            ):
                for item in source.get(key, {}).get("items", []):
                    assert item["key"] in there[kind, source[key]["name"]][data]
    mounted = {mount["name"] for mount in container()["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_what_is_written_to_is_mounted_and_the_settings_cannot_be_written() -> None:
    mounts = {one["mountPath"]: one for one in container()["volumeMounts"]}
    store = variables(Path("/etc/preroll"))["PREROLL_STORE__PATH"]
    for path in (str(Path(store).parent), "/tmp"):
        assert not mounts[path].get("readOnly", False)
    command, option, config = container()["args"]
    assert (command, option) == ("serve", "--config")
    assert mounts[str(Path(config).parent)]["readOnly"] is True
    (projected,) = (one["projected"] for one in pod()["volumes"] if "projected" in one)
    items = [item for one in projected["sources"] for item in next(iter(one.values()))["items"]]
    assert Path(config).name in {item["path"] for item in items}
    assert projected["defaultMode"] == 0o440


def test_ports_agree_from_the_service_to_the_settings() -> None:
    (port,) = the("Service")["spec"]["ports"]
    listening = int(variables(Path("/etc/preroll"))["PREROLL_SERVER__PORT"])
    assert port["port"] == container_port(port["targetPort"]) == listening
    annotations = the("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(listening)
    for rule in the("NetworkPolicy")["spec"]["ingress"]:
        assert rule["ports"] == [{"protocol": "TCP", "port": listening}]


def test_the_service_keeps_its_pod_while_a_new_workload_is_trained() -> None:
    assert the("Service")["spec"]["publishNotReadyAddresses"] is True


def peers(rules: list[Document], direction: str) -> list[tuple[str, str]]:
    """Namespace and pod labels of every peer that is chosen by labels."""
    return [
        (
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            json.dumps(peer["podSelector"]["matchLabels"]),
        )
        for rule in rules
        for peer in rule[direction]
        if "ipBlock" not in peer
    ]


def test_only_kedas_operator_and_prometheus_may_ask() -> None:
    spec = the("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert all("ipBlock" not in peer for rule in spec["ingress"] for peer in rule["from"])
    assert peers(spec["ingress"], "from") == [
        ("keda", '{"app": "keda-operator"}'),
        ("monitoring", '{"app.kubernetes.io/name": "prometheus"}'),
    ]


def test_preroll_may_ask_dns_and_the_prometheus_of_its_settings_alone() -> None:
    names, prometheus = the("NetworkPolicy")["spec"]["egress"]
    assert {one["port"] for one in names["ports"]} == {53}
    assert {one["protocol"] for one in names["ports"]} == {"TCP", "UDP"}
    assert peers([names], "to") == [("kube-system", '{"k8s-app": "kube-dns"}')]
    url = yaml.safe_load(the("ConfigMap")["data"]["preroll.yaml"])["source"]["prometheus"]["url"]
    host = re.fullmatch(r"http://([a-z-]+)\.([a-z-]+)\.svc:(\d+)", url)
    assert host is not None
    ((namespace, labels),) = peers([prometheus], "to")
    assert (namespace, host[1] in labels) == (host[2], True)
    assert prometheus["ports"] == [{"protocol": "TCP", "port": int(host[3])}]


def test_the_images_tag_is_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container()["image"] == f"preroll:{version}"
    assert f'org.opencontainers.image.version="{version}"' in (ROOT / "Dockerfile").read_text()


def test_kedas_token_comes_from_a_secret_beside_it() -> None:
    authentication = the("TriggerAuthentication")
    namespace = authentication["metadata"]["namespace"]
    assert authentication["apiVersion"] == "keda.sh/v1alpha1"
    assert set(authentication["spec"]) == {"secretTargetRef"}
    (reference,) = authentication["spec"]["secretTargetRef"]
    assert set(reference) == {"parameter", "name", "key"}
    assert reference["parameter"] == "token"
    assert reference["key"] in the("Secret", reference["name"], namespace)["stringData"]
