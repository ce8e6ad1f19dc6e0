"""What step 2 of the plan installs: the chart with the written settings, as its commands say."""

from __future__ import annotations

import pytest

from forecaster.migration.files import migration_files
from forecaster.settings import load_settings
from tests.deploy.chart import Chart


@pytest.fixture(scope="module")
def files(example_moves):
    return migration_files(example_moves).texts


@pytest.fixture(scope="module")
def chart(files):
    """--set-file settingsFile=preroll.yaml --set-file 'settingsExtraFiles.events\\.yaml=…'."""
    return Chart(
        {
            "settingsFile": files["preroll.yaml"],
            "settingsExtraFiles": {"events.yaml": files["events.yaml"]},
        }
    )


def test_the_pod_finds_settings_and_events_side_by_side(chart, tmp_path):
    data = chart.the("ConfigMap")["data"]
    assert sorted(data) == ["events.yaml", "preroll.yaml"]
    for name, text in data.items():
        (tmp_path / name).write_text(text)
    settings = load_settings(tmp_path / "preroll.yaml", {})
    assert len(settings.fleet.workloads) == 3
    assert settings.events.sources[0].location == tmp_path / "events.yaml"
    pod = chart.the("Deployment")["spec"]["template"]["spec"]
    (volume,) = [one for one in pod["volumes"] if one["name"] == "settings"]
    sources = volume["projected"]["sources"]
    mounted = next(one["configMap"] for one in sources if "configMap" in one)
    keys = {one["key"] for one in mounted.get("items", [])}
    assert not keys or keys == set(data)
    secret = next(one["secret"] for one in sources if "secret" in one)
    assert secret["name"] == "preroll-tokens"


def test_triggers_ask_the_service_that_it_makes(chart, files):
    service = chart.the("Service")
    (port,) = service["spec"]["ports"]
    metadata = service["metadata"]
    address = f"http://{metadata['name']}.{metadata['namespace']}.svc:{port['port']}/v1/targets/"
    assert (
        f'url: "{address}streaming/player-api"' in files["scaledobjects/streaming.player-api.yaml"]
    )


def test_the_plan_names_what_the_chart_has(files):
    plan = files["PLAN.md"]
    assert "--set-file settingsFile=preroll.yaml" in plan
    assert r"--set-file 'settingsExtraFiles.events\.yaml=events.yaml'" in plan
    assert "secret generic preroll-tokens --namespace preroll" in plan
