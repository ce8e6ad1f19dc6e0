"""The ConfigMap's preroll.yaml, read as the service reads it in the pod."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecaster.errors import SettingsError
from forecaster.planning.capacity import Mode
from forecaster.settings import load_settings
from tests.deploy.documents import PLACEHOLDER, TOKEN, container, the, variables, write_settings


def test_the_settings_are_valid_where_the_pod_mounts_them(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, TOKEN), variables(tmp_path))
    assert settings.server.tokens == (TOKEN,)
    assert settings.server.host == "0.0.0.0"
    mounts = {one["mountPath"] for one in container()["volumeMounts"]}
    assert str(settings.store_path.parent) in mounts


def test_a_first_installation_changes_no_replicas(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, TOKEN), variables(tmp_path))
    assert {one.rule.mode for one in settings.fleet.workloads} == {Mode.SHADOW}


def test_the_placeholder_is_refused_as_a_token_with_a_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="openssl rand -hex 32") as caught:
        load_settings(write_settings(tmp_path, PLACEHOLDER), variables(tmp_path))
    (problem,) = caught.value.problems
    assert problem.place == "PREROLL_SERVER__TOKENS_FILE"


def test_both_secrets_hold_the_placeholder_and_nothing_else() -> None:
    server = the("Secret", "preroll-tokens")["stringData"]
    keda = the("Secret", "preroll-token")["stringData"]
    assert server == {"tokens": PLACEHOLDER + "\n"}
    assert keda == {"token": PLACEHOLDER}, "a header cannot carry a line break"


def test_the_bounds_are_those_of_the_scaled_object(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, TOKEN), variables(tmp_path))
    scaled = the("ScaledObject")
    name = f"{scaled['metadata']['namespace']}/{scaled['spec']['scaleTargetRef']['name']}"
    (rule,) = (one.rule for one in settings.fleet.workloads if one.workload == name)
    assert rule.min_replicas == scaled["spec"]["minReplicaCount"]
    assert rule.max_replicas == scaled["spec"]["maxReplicaCount"]
