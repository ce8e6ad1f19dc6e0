"""The settings as the pod finds them, read as the service reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python
import pytest

from forecaster.cli.app import run
from forecaster.settings import PrometheusSettings, Settings, load_settings
from forecaster.traffic.prometheus import FleetQuery
from tests.deploy.chart import NAMES, Chart, merged, rendered, values
from tests.deploy.documents import TOKEN, parse

OTHER = "0d" * 32


def mounted(chart: Chart, folder: Path) -> Settings:
    """Mounts the settings' volume into ``folder``, and loads what the pod would load."""
    secrets = {"tokens": TOKEN, "events-tokens": OTHER}
    (volume,) = (one for one in chart.pod["spec"]["volumes"] if one["name"] == "settings")
    for source in volume["projected"]["sources"]:
        if "configMap" in source:
            data = chart.the("ConfigMap")["data"]
            assert source["configMap"]["name"] == chart.the("ConfigMap")["metadata"]["name"]
            for item in source["configMap"]["items"]:
                (folder / item["path"]).write_text(data[item["key"]])
        else:
            for item in source["secret"]["items"]:
                (folder / item["path"]).write_text(secrets[item["path"]])
    command, option, config = chart.container["args"]
    assert (command, option) == ("serve", "--config")
    home = str(Path(config).parent)
    environ = {name: text.replace(home, str(folder)) for name, text in chart.variables.items()}
    return load_settings(folder / Path(config).name, environ)


def with_files(name: str, folder: Path) -> Chart:
    """The chart of a value file, with its source's token in the folder instead of a volume."""
    if name != "everything":
        return rendered(name)
    (folder / "source-token").write_text("secret")
    prometheus = {"bearer_token_file": str(folder / "source-token")}
    return rendered(name, settings={"source": {"prometheus": prometheus}})


OWN = [name for name in NAMES if name != "existing"]


@pytest.mark.parametrize("name", OWN)
def test_the_service_takes_the_settings(name: str, tmp_path: Path) -> None:
    chart = with_files(name, tmp_path)
    settings = mounted(chart, tmp_path)
    assert settings.server.tokens == (TOKEN,)
    assert settings.server.port == chart.container["ports"][0]["containerPort"]
    mounts = {one["mountPath"] for one in chart.container["volumeMounts"]}
    assert str(settings.store_path.parent) in mounts


@pytest.mark.parametrize("name", OWN)
def test_the_pod_listens_to_others_whatever_the_settings_say(name: str, tmp_path: Path) -> None:
    host = mounted(with_files(name, tmp_path), tmp_path).server.host
    assert host == ("::" if name == "ipv6" else "0.0.0.0")


def test_writers_of_events_have_a_token_of_their_own(tmp_path: Path) -> None:
    chart = with_files("everything", tmp_path)
    assert mounted(chart, tmp_path).server.events_tokens == (OTHER,)


def test_without_tokens_for_events_nobody_may_write(tmp_path: Path) -> None:
    assert mounted(rendered("minimal"), tmp_path).server.events_tokens == ()


def test_settings_that_are_maps_reach_the_service_unchanged(tmp_path: Path) -> None:
    workload = {
        "namespace": "streaming",
        "name": "player-api",
        "capacity": 1234567.5,
        "max_replicas": 10000,
        "quantile": 0.98,
        "lead_time": "8m",
        "mode": "off",
        "labels": {"tier": "1", "yes": "no", "time": "20:00"},
    }
    settings = mounted(rendered("minimal", settings={"workloads": [workload]}), tmp_path)
    (one,) = settings.fleet.workloads
    assert one.workload == "streaming/player-api"
    assert one.rule.capacity_rps == 1234567.5
    assert one.rule.max_replicas == 10000
    assert one.rule.mode.value == "off"
    assert dict(one.labels) == {"tier": "1", "yes": "no", "time": "20:00"}


@pytest.mark.parametrize(
    "query",
    [
        " + ".join(f'sum(rate(requests_total{{cluster="{n}"}}[2m]))' for n in range(20)),
        "sum by (namespace, deployment) (\n  rate(http_requests_total[2m])\n)\n# by the edge\n",
        '{{ .Release.Name }} "quoted" \\ and : # odd',
    ],
    ids=["long", "of several lines", "with a template's signs"],
)
def test_a_query_reaches_the_service_to_the_letter(query: str, tmp_path: Path) -> None:
    changed = {"source": {"prometheus": {"query": query}}}
    source = mounted(rendered("minimal", settings=changed), tmp_path).source
    assert isinstance(source, PrometheusSettings)
    assert isinstance(source.query, FleetQuery)
    assert source.query.promql.strip() == query.strip()


def test_a_file_keeps_its_comments() -> None:
    text = rendered("settings-file").the("ConfigMap")["data"]["preroll.yaml"]
    assert text.startswith("# Comments stay.\n")
    assert "# measured in May\n" in text


def test_files_come_in_by_set_file(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(values("settings-file")["settingsFile"])
    (tmp_path / "calendar.yaml").write_text("events: []\n")
    chosen = merged(
        helm_python.parse_set_file(f"settingsFile={tmp_path}/own.yaml"),
        helm_python.parse_set_file(f"settingsExtraFiles.events\\.yaml={tmp_path}/calendar.yaml"),
    )
    data = Chart(chosen).the("ConfigMap")["data"]
    assert data["events.yaml"] == "events: []\n"
    assert data["preroll.yaml"] == values("settings-file")["settingsFile"]


def test_a_calendar_stands_beside_the_settings(tmp_path: Path) -> None:
    chart = with_files("everything", tmp_path)
    mounted(chart, tmp_path)
    assert (tmp_path / "matches.csv").read_text().startswith("start,end,name,")


def test_a_given_config_map_is_mounted_with_all_its_keys() -> None:
    chart = rendered("existing")
    assert chart.all("ConfigMap") == []
    (volume,) = (one for one in chart.pod["spec"]["volumes"] if one["name"] == "settings")
    first, second = volume["projected"]["sources"]
    assert first == {"configMap": {"name": "preroll-settings"}}
    assert second["secret"]["name"] == "vault-preroll"
    assert [(one["key"], one["path"]) for one in second["secret"]["items"]] == [
        ("read", "tokens"),
        ("write", "events-tokens"),
    ]


def checksums(name: str, **changed: Any) -> dict[str, str]:
    annotations = rendered(name, **changed).pod["metadata"].get("annotations", {})
    return {key: text for key, text in annotations.items() if key.startswith("checksum/")}


def test_a_change_of_settings_makes_a_new_pod_and_a_change_of_anything_else_does_not() -> None:
    before = checksums("minimal")
    assert set(before) == {"checksum/settings"}
    assert checksums("minimal", settings={"timezone": "Europe/Paris"}) != before
    assert checksums("minimal", settingsExtraFiles={"matches.csv": "a"}) != before
    assert checksums("minimal", commonLabels={"a": "b"}) == before
    assert checksums("minimal", serviceMonitor={"enabled": True}) == before


def test_a_change_of_tokens_that_the_chart_knows_makes_a_new_pod() -> None:
    before = checksums("everything")
    assert set(before) == {"checksum/settings", "checksum/tokens"}
    assert checksums("everything", tokens={"value": "another"}) != before


def test_settings_of_somebody_else_have_no_checksum() -> None:
    assert checksums("existing") == {}


@pytest.mark.parametrize("name", ["minimal", "open"])
def test_the_pod_writes_scaled_objects_that_ask_this_release(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chart = rendered(name, "floors")
    mounted(chart, tmp_path)
    for variable, text in chart.variables.items():
        monkeypatch.setenv(variable, text.replace("/etc/preroll", str(tmp_path)))
    assert run(["scaledobject", "--config", str(tmp_path / "preroll.yaml")]) == 0
    authentication, scaled = parse(capsys.readouterr().out)
    service = chart.the("Service")
    port = service["spec"]["ports"][0]["port"]
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port}"
    trigger = scaled["spec"]["triggers"][0]
    assert trigger["metadata"]["url"] == f"http://{host}/v1/targets/streaming/player-api"
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    secret = authentication["spec"]["secretTargetRef"][0]["name"]
    assert f"create secret generic {secret} --namespace streaming" in chart.notes


def test_it_agrees_with_the_trigger_authentication_of_the_chart() -> None:
    chart = rendered("existing")
    authentication = chart.the("TriggerAuthentication")
    assert chart.variables["PREROLL_KEDA__AUTHENTICATION"] == authentication["metadata"]["name"]
    (reference,) = authentication["spec"]["secretTargetRef"]
    assert chart.variables["PREROLL_KEDA__SECRET"] == reference["name"]
