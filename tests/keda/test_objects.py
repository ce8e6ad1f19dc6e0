"""What stands in a ScaledObject, and what is kept of an older object."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecaster.keda import (
    ScaledObjectOptions,
    make_scaled_object,
    read_existing,
    scaled_object,
    trigger_authentication,
)
from forecaster.keda.naming import scaled_object_name
from tests.keda.conftest import SCALED_OBJECT

OPTIONS = ScaledObjectOptions()


def behavior(data):
    return data["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


def triggers(data):
    return {one.get("name", one["type"]): one for one in data["spec"]["triggers"]}


def codes(made):
    return [one.code for one in made.traps]


def test_prerolls_trigger_asks_for_the_workload_with_the_token(workload):
    spec = scaled_object(workload, OPTIONS)["spec"]
    assert spec["triggers"][0] == {
        "type": "metrics-api",
        "name": "preroll",
        "metricType": "AverageValue",
        "metadata": {
            "url": "http://preroll.preroll.svc:8080/v1/targets/streaming/player-api",
            "valueLocation": "replicas",
            "targetValue": "1",
            "format": "json",
            "authMode": "bearer",
        },
        "authenticationRef": {"name": "preroll"},
    }
    assert triggers({"spec": spec})["cpu"]["metadata"] == {"value": "70"}


def test_without_tokens_nothing_is_said_of_them(workload):
    one = scaled_object(workload, replace(OPTIONS, authenticate=False))["spec"]["triggers"][0]
    assert "authenticationRef" not in one
    assert "authMode" not in one["metadata"]


def test_the_fallback_is_a_pure_hold_and_the_bounds_are_the_settings(workload):
    spec = scaled_object(workload, OPTIONS)["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (4, 200)
    assert spec["fallback"] == {
        "failureThreshold": 3,
        "replicas": 4,
        "behavior": "currentReplicasIfHigher",
    }
    assert spec["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "player-api",
    }


def test_one_sync_goes_the_whole_way_up_to_any_maximum(workload):
    for most in (200, 5000):
        rule = replace(workload.rule, max_replicas=most)
        up = behavior(scaled_object(replace(workload, rule=rule), OPTIONS))["scaleUp"]
        (policy,) = up["policies"]
        assert (policy["type"], policy["periodSeconds"]) == ("Pods", 15)
        assert policy["value"] >= max(most, 1000)
        assert (up["stabilizationWindowSeconds"], up["tolerance"]) == (0, "0")


def test_a_minimum_of_nothing_becomes_one_and_is_told(workload):
    none = replace(workload, rule=replace(workload.rule, min_replicas=0))
    made = make_scaled_object(none, OPTIONS)
    assert made.data["spec"]["minReplicaCount"] == 1
    assert made.data["spec"]["fallback"]["replicas"] == 1
    assert codes(made) == ["min-zero"]


@pytest.mark.parametrize(
    ("kubernetes", "keda", "tolerance", "behaves"),
    [
        ((1, 35), (2, 18), True, True),
        ((1, 34), (2, 20), False, True),
        ((1, 36), (2, 17), False, True),
        ((1, 36), (2, 16), False, False),
    ],
)
def test_older_versions_get_only_what_they_know(workload, kubernetes, keda, tolerance, behaves):
    made = scaled_object(workload, replace(OPTIONS, kubernetes=kubernetes, keda=keda))
    assert ("tolerance" in behavior(made)["scaleUp"]) is tolerance
    assert ("behavior" in made["spec"]["fallback"]) is behaves


def test_an_hpa_keeps_its_bounds_target_triggers_and_its_way_down(workload, hpa):
    made = make_scaled_object(workload, OPTIONS, hpa)
    spec = made.data["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (4, 200)
    assert list(triggers(made.data)) == ["preroll", "cpu", "memory"]
    assert triggers(made.data)["cpu"]["metadata"] == {"value": "65"}
    assert triggers(made.data)["memory"] == {
        "type": "memory",
        "name": "memory",
        "metricType": "AverageValue",
        "metadata": {"value": "500Mi", "containerName": "app"},
    }
    assert behavior(made.data)["scaleDown"] == {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
        "selectPolicy": "Max",
    }
    assert codes(made) == ["metric-lost", "scale-up-replaced"]


def test_keda_takes_an_hpa_over_so_that_there_is_always_an_autoscaler(workload, hpa):
    made = scaled_object(workload, OPTIONS, hpa)
    assert made["metadata"] == {
        "name": "player-api",
        "namespace": "streaming",
        "annotations": {"scaledobject.keda.sh/transfer-hpa-ownership": "true"},
    }
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == "player"


def test_the_way_up_may_stay_as_it_is(workload, hpa):
    made = make_scaled_object(workload, replace(OPTIONS, keep_scale_up=True), hpa)
    up = behavior(made.data)["scaleUp"]
    assert up["policies"] == [{"type": "Percent", "value": 10, "periodSeconds": 60}]
    assert up["tolerance"] == "0"
    assert codes(made) == ["metric-lost"]


def test_a_scaled_object_keeps_all_that_is_not_prerolls(login, older):
    made = make_scaled_object(login, OPTIONS, older)
    data, spec = made.data, made.data["spec"]
    assert data["metadata"] == {
        "name": "login-so",
        "namespace": "accounts",
        "labels": {"team": "accounts"},
        "annotations": {"example.com/owner": "accounts"},
    }
    assert spec["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "login",
        "envSourceContainerName": "app",
    }
    assert spec["triggers"][1:] == list(older.triggers)
    assert (spec["pollingInterval"], spec["cooldownPeriod"], spec["idleReplicaCount"]) == (
        10,
        600,
        0,
    )
    assert spec["fallback"] == {"failureThreshold": 5, "replicas": 8}
    assert spec["advanced"]["restoreToOriginalReplicaCount"] is True
    down = behavior(data)["scaleDown"]
    assert down == {"stabilizationWindowSeconds": 600, "selectPolicy": "Max", "tolerance": "0.05"}
    assert made.traps == ()


@pytest.mark.parametrize("policy", ["Max", "Min", "Disabled"])
def test_a_select_policy_of_the_way_down_is_kept(workload, policy):
    old = SCALED_OBJECT.replace("tolerance: 0.05", f"selectPolicy: {policy}")
    (found,) = read_existing(old, "so.yaml")
    down = behavior(scaled_object(workload, OPTIONS, found))["scaleDown"]
    assert down == {"stabilizationWindowSeconds": 600, "selectPolicy": policy}


def test_scale_down_is_open_again_once_paused_scale_in_is_taken_off(workload):
    """KEDA from 2.18 on restores what is written, and nothing where nothing is."""
    assert behavior(scaled_object(workload, OPTIONS))["scaleDown"] == {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
    }


def test_no_cpu_trigger_is_added_beside_others(login, older):
    assert "cpu" not in triggers(scaled_object(login, OPTIONS, older))


def test_an_older_trigger_of_prerolls_is_replaced_in_its_place(login, older):
    old = {
        "type": "metrics-api",
        "metadata": {"url": "http://elsewhere/v1/targets/accounts/login", "targetValue": "2"},
    }
    found = replace(older, triggers=(older.triggers[0], old, older.triggers[1]))
    made = scaled_object(login, OPTIONS, found)["spec"]["triggers"]
    assert [one.get("name", one["type"]) for one in made] == ["log-ins", "preroll", "kafka"]
    assert made[1]["metadata"]["url"].startswith("http://preroll.preroll.svc:8080/")


def test_a_workload_may_have_another_name_in_preroll(older):
    url = "http://elsewhere:8080/v1/targets/accounts/sign-in"
    ours = {"type": "metrics-api", "name": "preroll", "metadata": {"url": url}}
    by_address = replace(older, triggers=(ours, *older.triggers))
    by_annotation = replace(older, annotations={"preroll.io/name": "sign-in"})
    for found in (by_address, by_annotation):
        assert (found.asked, found.workload) == ("accounts/sign-in", "accounts/login")
        made = make_scaled_object(None, OPTIONS, found).data
        url = made["spec"]["triggers"][0]["metadata"]["url"]
        assert url == "http://preroll.preroll.svc:8080/v1/targets/accounts/sign-in"
        assert made["spec"]["scaleTargetRef"]["name"] == "login"
    assert older.asked is None


def test_another_trigger_of_that_name_is_called_otherwise(login, older):
    other = {**older.triggers[0], "name": "preroll"}
    made = scaled_object(login, OPTIONS, replace(older, triggers=(other,)))["spec"]["triggers"]
    assert [one["name"] for one in made] == ["preroll", "preroll-prometheus"]


def test_made_again_from_itself_it_is_the_same(login, older, workload, hpa):
    import yaml

    for settings, found in ((login, older), (workload, hpa), (workload, None)):
        for options in (OPTIONS, replace(OPTIONS, formula=True)):
            once = scaled_object(settings, options, found)
            (again,) = read_existing(yaml.safe_dump(once), "again")
            made = make_scaled_object(settings, options, again)
            assert made.data == once
            assert made.traps == ()


def test_a_fallback_of_nothing_is_not_written(login, older):
    spec = {**older.spec, "fallback": {"failureThreshold": 3, "replicas": 0}}
    made = make_scaled_object(login, OPTIONS, replace(older, spec=spec))
    assert made.data["spec"]["fallback"]["replicas"] == 3
    assert codes(made) == ["fallback-zero"]


def test_what_is_found_is_enough_without_settings():
    text = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: tv}}"
    (found,) = read_existing(text, "sts.yaml")
    spec = make_scaled_object(None, OPTIONS, found).data["spec"]
    assert spec["scaleTargetRef"]["kind"] == "StatefulSet"
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (1, 100)
    assert spec["triggers"][0]["metadata"]["url"].endswith("/v1/targets/tv/db")
    with pytest.raises(ValueError, match="neither settings nor an object"):
        make_scaled_object(None, OPTIONS)


def test_long_names_are_cut_and_stay_apart(workload):
    name = "a" * 60
    made = scaled_object(replace(workload, name=name), OPTIONS)
    assert made["metadata"]["name"] == name
    # keda-hpa- before it would be too long.
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == name
    first, second = scaled_object_name("b" * 100), scaled_object_name("b" * 99 + "c")
    assert first != second
    assert len(first) <= 63
    assert scaled_object_name("b" * 100) == first
    dotted = scaled_object_name("x" * 53 + "." + "y" * 40)
    assert ".-" not in dotted
    assert scaled_object_name("short.name") == "short.name"


def test_the_token_is_of_the_namespace():
    made = trigger_authentication("accounts", replace(OPTIONS, authentication="p", secret="s"))
    assert made["metadata"] == {"name": "p", "namespace": "accounts"}
    (reference,) = made["spec"]["secretTargetRef"]
    assert reference == {"parameter": "token", "name": "s", "key": "token"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "preroll:8080"}, "url"),
        ({"url": "http://preroll:8080/"}, "url"),
        ({"cpu_utilisation": -1}, "cpu_utilisation"),
        ({"polling_seconds": 0}, "polling_seconds"),
        ({"failure_threshold": 0}, "failure_threshold"),
        ({"scale_down_seconds": 3601}, "scale_down_seconds"),
        ({"keda": (2, 9)}, "keda"),
        ({"kubernetes": (1, 20)}, "kubernetes"),
    ],
)
def test_options_that_cannot_be_are_refused_by_their_name(wrong, field):
    with pytest.raises(ValueError, match=rf"^{field} must be|^{field} must lie"):
        ScaledObjectOptions(**wrong)
