"""Every value file, rendered: objects that the API server takes and that fit together."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
import yaml

from deploy.render import CHART
from tests.deploy.chart import NAMES, Chart, rendered, values
from tests.deploy.documents import ROOT, Document
from tests.deploy.kinds import CUSTOM, custom_faults, restricted_faults

KUBERNETES = ["1.27", "1.31", "1.36"]
LONGEST = "r" * 53  # what Helm takes as a release's name
ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())


def identity(one: Document) -> tuple[str, str, str]:
    metadata = one["metadata"]
    return one["kind"], metadata.get("namespace", ""), metadata["name"]


def test_helm_lints_it_without_a_warning() -> None:
    for chosen in [None, *(values(name) for name in NAMES)]:
        report = helm_python.lint(CHART, chosen, strict=True, kube_version="v1.27.0")
        told = [one for one in report["messages"] if one["error"] != "icon is recommended"]
        assert (told, report["errors"]) == ([], [])


@pytest.mark.parametrize(
    ("name", "version"),
    [(name, KUBERNETES[-1]) for name in NAMES] + [("everything", one) for one in KUBERNETES[:-1]],
)
def test_every_object_fits_its_schema(name: str, version: str) -> None:
    documents = rendered(name).documents
    assert len(documents) >= 4
    for one in documents:
        if one["kind"] in CUSTOM:
            assert custom_faults(one) == []
        else:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("kind", sorted(CUSTOM))
def test_a_misspelt_field_of_a_custom_kind_is_a_fault(kind: str) -> None:
    wrong = copy.deepcopy(rendered("everything").all(kind)[0])
    wrong["spec"]["secretTargetReference"] = wrong["metadata"].pop("name")
    assert sorted(custom_faults(wrong)) == [
        ".metadata.name: missing",
        ".spec.secretTargetReference: unknown",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_pod_is_let_in_where_restricted_is_enforced(name: str) -> None:
    assert list(restricted_faults(rendered(name).pod["spec"])) == []


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("podSecurityContext", {"runAsUser": 0}, "runAsNonRoot"),
        ("podSecurityContext", {"seccompProfile": {"type": "Unconfined"}}, "seccompProfile"),
        ("containerSecurityContext", {"capabilities": {"drop": []}}, "capabilities.drop"),
        ("containerSecurityContext", {"privileged": True}, "privileged"),
        ("extraVolumes", [{"name": "host", "hostPath": {"path": "/"}}], "volume host"),
    ],
)
def test_what_restricted_refuses_is_seen(place: str, value: object, fault: str) -> None:
    spec = rendered("minimal", **{place: value}).pod["spec"]
    assert list(restricted_faults(spec)) == [fault]


@pytest.mark.parametrize("release", ["preroll", LONGEST, "9-lives", "x"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_labels_and_unique(name: str, release: str) -> None:
    documents = rendered(name, release).documents
    assert len({identity(one) for one in documents}) == len(documents)
    for one in documents:
        label = one["metadata"]["name"]
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", label), label
        for value in one["metadata"]["labels"].values():
            assert re.fullmatch(r"([A-Za-z0-9]([-.\w]{0,61}[A-Za-z0-9])?)?", value), value


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("preroll", "platform"), ("other", "platform")),
        (("r" * 52 + "a", "platform"), ("r" * 52 + "b", "platform")),
        (("preroll", "n" * 62 + "a"), ("preroll", "n" * 62 + "b")),
    ],
    ids=["in one namespace", "with long names", "in two namespaces"],
)
@pytest.mark.parametrize("name", ["everything", "namespaced"])
def test_two_releases_share_no_object(
    name: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    # What KEDA reads in a workload's namespace is named by the release alone: two releases of two
    # namespaces that serve one workload's namespace need keda.triggerAuthentication.name.
    chosen = values(name, keda={"triggerAuthentication": {"namespaces": []}})
    chosen["serviceMonitor"] = {"enabled": False}
    one, two = Chart(chosen, *first), Chart(chosen, *second)
    assert not {identity(each) for each in one.documents} & {
        identity(each) for each in two.documents
    }


def test_two_releases_of_one_namespace_select_their_own_pods() -> None:
    one, two = rendered("minimal", "one"), rendered("minimal", "two")
    labels = two.pod["metadata"]["labels"]
    for selector in (
        one.the("Service")["spec"]["selector"],
        one.the("Deployment")["spec"]["selector"]["matchLabels"],
        one.the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ):
        assert not selector.items() <= labels.items()


@pytest.mark.parametrize("name", NAMES)
def test_selectors_find_the_pod_and_the_service(name: str) -> None:
    chart = rendered(name)
    labels = chart.pod["metadata"]["labels"]
    selectors = [
        chart.the("Deployment")["spec"]["selector"]["matchLabels"],
        chart.the("Service")["spec"]["selector"],
        *(one["spec"]["podSelector"]["matchLabels"] for one in chart.all("NetworkPolicy")),
    ]
    for selector in selectors:
        assert len(selector) == 3 and selector.items() <= labels.items()
    for monitor in chart.all("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        assert wanted.items() <= chart.the("Service")["metadata"]["labels"].items()
        assert monitor["spec"]["namespaceSelector"]["matchNames"] == ["preroll"]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_pod_refers_to_is_rendered_or_named_in_the_values(name: str) -> None:
    chart, chosen = rendered(name), yaml.safe_dump(values(name))
    there = {(one["kind"], one["metadata"]["name"]) for one in chart.documents}
    spec = chart.pod["spec"]
    wanted = [("ServiceAccount", spec["serviceAccountName"])]
    for volume in spec["volumes"]:
        if "persistentVolumeClaim" in volume:
            wanted.append(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
        for source in volume.get("projected", {}).get("sources", []):
            (kind,) = source
            wanted.append((kind[0].upper() + kind[1:], source[kind]["name"]))
    assert len(wanted) >= 3
    for kind, label in wanted:
        by_hand = kind == "Secret" and f"create secret generic {label} " in chart.notes
        assert (kind, label) in there or label in chosen or by_hand, label
    mounted = {mount["name"] for mount in chart.container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize("name", NAMES)
def test_ports_agree(name: str) -> None:
    chart = rendered(name)
    (own,) = chart.container["ports"]
    (served,) = chart.the("Service")["spec"]["ports"]
    assert str(own["containerPort"]) == chart.variables["PREROLL_SERVER__PORT"]
    assert served["targetPort"] == own["name"] == "http"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert chart.container[probe]["httpGet"]["port"] == "http"
    for policy in chart.all("NetworkPolicy"):
        for rule in policy["spec"]["ingress"] or []:
            assert rule["ports"] == [{"protocol": "TCP", "port": own["containerPort"]}]
    annotations = chart.pod["metadata"].get("annotations", {})
    assert annotations.get("prometheus.io/port", str(own["containerPort"])) == str(
        own["containerPort"]
    )


def test_one_pod_owns_the_store() -> None:
    spec = rendered("minimal").the("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_claim_outlives_the_release_unless_told_otherwise() -> None:
    def annotations(**persistence: object) -> dict[str, str]:
        claim = rendered("minimal", persistence=persistence).the("PersistentVolumeClaim")
        return dict(claim["metadata"].get("annotations", {}))

    assert annotations() == {"helm.sh/resource-policy": "keep"}
    assert annotations(keep=False) == {}


def test_the_storage_class_is_the_clusters_a_name_or_none() -> None:
    def spec(name: str) -> Document:
        return dict(rendered(name).the("PersistentVolumeClaim")["spec"])

    assert "storageClassName" not in spec("minimal")
    assert spec("everything")["storageClassName"] == "fast"
    assert spec("ipv6")["storageClassName"] == ""


def test_there_is_no_claim_where_one_is_given_or_none_is_wanted() -> None:
    assert rendered("existing").all("PersistentVolumeClaim") == []
    chart = rendered("open")
    assert chart.all("PersistentVolumeClaim") == []
    (store,) = (one for one in chart.pod["spec"]["volumes"] if one["name"] == "store")
    assert store == {"name": "store", "emptyDir": {"sizeLimit": "200Mi"}}


def test_the_image_is_a_tag_or_a_digest() -> None:
    assert rendered("minimal").container["image"] == f"preroll:{ABOUT['appVersion']}"
    assert rendered("open").container["image"] == "registry.example.com:5000/preroll:0.2.0-rc.1"
    image = rendered("everything").container["image"]
    assert re.fullmatch(r"registry\.example\.com/platform/preroll@sha256:[0-9a-f]{64}", image)


def test_a_policy_without_rules_lets_nobody_through() -> None:
    spec = rendered("shut").the("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert (spec["ingress"], spec["egress"]) == ([], [])
    assert rendered("open").all("NetworkPolicy") == []


def test_annotations_for_prometheus_are_left_out_beside_a_service_monitor() -> None:
    assert "prometheus.io/scrape" in rendered("minimal").pod["metadata"]["annotations"]
    assert "prometheus.io/scrape" not in rendered("everything").pod["metadata"]["annotations"]
    assert "prometheus.io/scrape" not in rendered("open").pod["metadata"]["annotations"]


def test_every_common_label_and_annotation_reaches_every_object() -> None:
    for one in rendered("everything").documents:
        assert one["metadata"]["labels"]["team"] == "platform"
        assert one["metadata"]["annotations"]["example.com/owner"] == "platform"


def test_each_namespace_gets_one_trigger_authentication_and_the_first_token() -> None:
    chart = rendered("everything")
    made = chart.all("TriggerAuthentication")
    assert [one["metadata"]["namespace"] for one in made] == ["streaming", "accounts"]
    secrets = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["stringData"]
        for one in chart.all("Secret")
    }
    for one in made:
        (reference,) = one["spec"]["secretTargetRef"]
        data = secrets[one["metadata"]["namespace"], reference["name"]]
        assert data == {reference["key"]: "9b3c5d7e" * 8}


def test_a_given_secret_is_referred_to_and_not_made() -> None:
    chart = rendered("existing")
    assert chart.all("Secret") == []
    authentication = chart.the("TriggerAuthentication")
    assert authentication["metadata"]["name"] == "floors"
    assert authentication["spec"]["secretTargetRef"] == [
        {"parameter": "token", "name": "vault-token", "key": "bearer"}
    ]


def test_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (ABOUT["name"], ABOUT["appVersion"]) == (project["name"], project["version"])
    assert ABOUT["kubeVersion"] == f">={KUBERNETES[0]}.0-0"


def test_a_packaged_chart_renders_the_same(tmp_path: Path) -> None:
    archive = Path(helm_python.package(CHART, destination=tmp_path))
    assert archive.name == f"{ABOUT['name']}-{ABOUT['version']}.tgz"
    with helm_python.Chart.load(archive) as chart:
        packed = chart.render(values("everything"), name="preroll", namespace="preroll")
    plain = {Path(path).name: text for path, text in packed.items() if text.strip()}
    chart = rendered("everything")
    assert plain == {**chart.files, "NOTES.txt": chart.notes}


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert rendered("everything").files == rendered("everything").files
