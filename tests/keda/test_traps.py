"""Each trap is found where it stands and says what to write; sound objects have none."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml

from forecaster.keda import (
    ScaledObjectOptions,
    find_traps,
    make_scaled_object,
    read_manifests,
    scaled_object,
)
from forecaster.keda.object_traps import keda_delay
from tests.keda.conftest import HPA, SCALED_OBJECT

OPTIONS = ScaledObjectOptions()
UP = "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp"
MISSING = object()


def changed(data, place: str, value: Any):
    """A copy with ``value`` at ``place``, or without what is there."""
    result = copy.deepcopy(data)
    inner: Any = result
    *way, last = place.split(".")
    for key in way:
        inner = inner[int(key)] if key.isdecimal() else inner.setdefault(key, {})
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return result


def found_in(*objects, known=None, options=OPTIONS):
    return find_traps(objects, known, options)


@pytest.mark.parametrize("formula", [False, True])
def test_what_is_made_has_no_trap(login, older, formula):
    options = replace(OPTIONS, formula=formula)
    made = make_scaled_object(login, options, older)
    assert find_traps([made.data], [login], options) == []


def test_neither_has_the_plain_one(workload):
    assert find_traps([scaled_object(workload, OPTIONS)], [workload], OPTIONS) == []


CASES = {
    "value": ("spec.triggers.0.metricType", "Value", "metric-type", "AverageValue"),
    "no-auth-mode": ("spec.triggers.0.metadata.authMode", MISSING, "auth-mode", "bearer"),
    "custom": ("spec.triggers.0.metadata.authMode", "custom", "auth-mode", "bearer"),
    "oauth": ("spec.triggers.0.metadata.authMode", "oauth", "auth-mode", "bearer"),
    "unknown-auth": ("spec.triggers.0.metadata.authMode", "token", "auth-mode", "bearer"),
    "no-reference": ("spec.triggers.0.authenticationRef", MISSING, "auth-mode", "name: preroll"),
    "misspelt": ("spec.triggers.0.metadata.authmode", "bearer", "unknown-key", "write authMode"),
    "misspelt-2": ("spec.triggers.0.metadata.targetVal", "1", "unknown-key", "write targetValue"),
    "misspelt-cpu": ("spec.triggers.1.metadata.values", "70", "unknown-key", "write value"),
    "number": ("spec.triggers.1.metadata.value", 70, "not-a-string", 'value: "70"'),
    "fallback-zero": ("spec.fallback.replicas", 0, "fallback-zero", "replicas: 4"),
    "fallback-word": ("spec.fallback.behavior", "hold", "fallback", "currentReplicasIfHigher"),
    "fallback-formula": ("spec.fallback.behavior", "scalingModifiers", "fallback", "behavior:"),
    "cached": ("spec.triggers.0.useCachedMetrics", True, "cached-metrics", "leave"),
    "no-target": ("spec.triggers.0.metadata.targetValue", MISSING, "target-value", '"1"'),
    "target-zero": ("spec.triggers.0.metadata.targetValue", "0", "target-value", '"1"'),
    "target-two": ("spec.triggers.0.metadata.targetValue", "2", "target-value", '"1"'),
    "target-word": ("spec.triggers.0.metadata.targetValue", "one", "target-value", '"1"'),
    "location": ("spec.triggers.0.metadata.valueLocation", "value", "address", "replicas"),
    "long-name": ("metadata.name", "a" * 64, "name-length", "shorter"),
    "long-hpa-name": ("metadata.name", "a" * 55, "name-length", "shorter"),
    "twice": ("spec.triggers.1.name", "preroll", "trigger-name", "preroll-2"),
    "field": ("spec.minReplicas", 4, "unknown-field", "minReplicaCount"),
    "field-below": ("spec.fallback.behaviour", "static", "unknown-field", "behavior"),
    "field-trigger": ("spec.triggers.0.metadataa", {}, "unknown-field", "metadata"),
    "min-zero": ("spec.minReplicaCount", 0, "min-zero", "1 or more"),
    "no-minimum": ("spec.minReplicaCount", MISSING, "min-zero", "1 or more"),
    "no-tolerance": (f"{UP}.tolerance", MISSING, "dead-band", 'tolerance: "0"'),
    "tolerance": (f"{UP}.tolerance", "0.05", "dead-band", 'tolerance: "0"'),
    "no-policies": (f"{UP}.policies", MISSING, "slow-scale-up", "1000"),
    "disabled": (f"{UP}.selectPolicy", "Disabled", "slow-scale-up", "Max"),
    "window": (f"{UP}.stabilizationWindowSeconds", 60, "slow-scale-up", "write 0"),
    "other-workload": (
        "spec.triggers.0.metadata.url",
        "http://preroll.preroll.svc:8080/v1/targets/streaming/drm",
        "address",
        "/v1/targets/streaming/player-api",
    ),
    "no-workload": (
        "spec.triggers.0.metadata.url",
        "http://preroll.preroll.svc:8080/v1/target",
        "address",
        "/v1/targets/streaming/player-api",
    ),
}


@pytest.mark.parametrize(("place", "value", "code", "advice"), CASES.values(), ids=CASES)
def test_a_trap_is_found(workload, place, value, code, advice):
    traps = found_in(changed(scaled_object(workload, OPTIONS), place, value))
    told = [one for one in traps if one.code == code]
    assert told, traps
    one, *more = told
    assert not more or place == "metadata.name", "the HPA is called after it"
    assert advice in one.advice
    assert one.effect
    named = "a" * 10 if place == "metadata.name" else "ScaledObject streaming/player-api"
    assert str(one).startswith(named) or named in str(one)


def test_the_place_is_that_of_the_field(workload):
    (one,) = found_in(
        changed(scaled_object(workload, OPTIONS), "spec.triggers.0.metricType", "Value")
    )
    assert str(one) == (
        "ScaledObject streaming/player-api, spec.triggers[0].metricType: Value: HPA multiplies the "
        "value by the replicas that are ready, anew at every sync; write metricType: AverageValue"
    )


def test_a_trigger_that_says_nothing_of_a_token_is_told_where_one_is_needed(workload):
    open_one = scaled_object(workload, replace(OPTIONS, authenticate=False))
    (one,) = found_in(open_one)
    assert (one.code, one.value) == ("auth-mode", "missing")
    assert "401" in one.effect


def test_without_tokens_no_auth_mode_is_needed(workload):
    options = replace(OPTIONS, authenticate=False)
    assert found_in(scaled_object(workload, options), options=options) == []


def test_a_minimum_and_a_fallback_of_nothing_flap(workload):
    data = changed(scaled_object(workload, OPTIONS), "spec.fallback.replicas", 0)
    (one,) = [
        trap
        for trap in found_in(changed(data, "spec.minReplicaCount", 0))
        if trap.code == "fallback-zero"
    ]
    assert "flaps between 0 and 1" in one.effect


def test_cached_values_that_are_as_fresh_as_a_sync_do_no_harm(workload):
    data = changed(scaled_object(workload, OPTIONS), "spec.triggers.0.useCachedMetrics", True)
    assert found_in(changed(data, "spec.pollingInterval", 15)) == []
    (one,) = found_in(changed(data, "spec.pollingInterval", 60))
    assert "up to 60 s old" in one.effect


def test_a_query_string_is_dropped_where_endpoints_are_asked_one_by_one(workload):
    data = scaled_object(workload, OPTIONS)
    url = "http://preroll.preroll.svc:8080/v1/targets/streaming/player-api?a=b"
    data = changed(data, "spec.triggers.0.metadata.url", url)
    assert [one.code for one in found_in(data)] == []
    data = changed(data, "spec.triggers.0.metadata.aggregateFromKubeServiceEndpoints", "true")
    assert [one.code for one in found_in(data)] == ["query-dropped"]
    data = changed(
        data, "spec.triggers.0.metadata.url", "http://10.0.0.1/v1/targets/streaming/player-api"
    )
    assert [one.code for one in found_in(data)] == ["query-dropped"]


def test_a_formula_needs_every_trigger_and_a_way_without_each(login, older):
    options = replace(OPTIONS, formula=True)
    data = scaled_object(login, options, older)
    place = "spec.advanced.scalingModifiers.formula"

    def told(formula, behavior="scalingModifiers"):
        one = changed(changed(data, place, formula), "spec.fallback.behavior", behavior)
        return [(trap.code, trap.value) for trap in found_in(one, options=options)]

    assert told("max([preroll ?? 0, (log_ins ?? 0) / 120, (kafka ?? 0) / 50])") == []
    without = "max([preroll, log_ins / 120, kafka / 50])"
    assert told(without) == [("formula", without)]
    forgotten = "max([preroll ?? 0, (log_ins ?? 0) / 120])"
    assert told(forgotten) == [("formula", forgotten)]
    assert told("max([preroll ?? 0, log_ins / 120, kafka / 50])", "static") == [
        ("formula", "static")
    ]


def test_a_formula_of_preroll_alone_does_not_hold(workload):
    options = replace(OPTIONS, formula=True)
    (one,) = found_in(scaled_object(workload, options), options=options)
    assert one.code == "formula-alone"


def test_kedas_delay_is_a_sync_the_window_up_and_what_is_cached(workload):
    spec = scaled_object(workload, OPTIONS)["spec"]

    def delay(*changes):
        data = {"spec": spec}
        for place, value in changes:
            data = changed(data, place, value)
        return keda_delay(data["spec"]).total_seconds()

    cached = ("spec.triggers.0.useCachedMetrics", True)
    assert delay() == 15
    assert delay((f"{UP}.stabilizationWindowSeconds", 60)) == 75
    assert delay(cached) == 45
    assert delay(cached, ("spec.pollingInterval", 300)) == 315
    assert delay(("spec.minReplicaCount", 0)) == 45


def test_a_lead_time_within_kedas_own_delay_is_told(workload):
    short = replace(workload, rule=replace(workload.rule, lead_time=timedelta(seconds=15)))
    data = scaled_object(workload, OPTIONS)
    (one,) = found_in(data, known=[short])
    assert (one.code, one.value) == ("lead-time", "15s")
    longer = replace(short, rule=replace(short.rule, lead_time=timedelta(seconds=16)))
    assert found_in(data, known=[longer]) == []
    cached = changed(data, "spec.triggers.0.useCachedMetrics", True)
    assert {one.code for one in found_in(cached, known=[longer])} == {"cached-metrics", "lead-time"}
    measured = replace(short, measured=replace(short.measured, lead_time=True))
    assert found_in(data, known=[measured]) == [], "what is measured holds KEDA's delay already"


def test_bounds_that_differ_from_the_settings_are_told(workload):
    data = scaled_object(workload, OPTIONS)
    data = changed(changed(data, "spec.minReplicaCount", 2), "spec.maxReplicaCount", 50)
    data = changed(data, "spec.fallback.replicas", 2)
    low, high = found_in(data, known=[workload])
    assert (low.code, low.value, high.code, high.value) == ("bounds", "2", "bounds", "50")
    assert "a target above 50 is never reached" in high.effect
    assert "minReplicaCount: 4 or min_replicas: 2" in low.advice
    assert found_in(data, known=None) == []


def test_a_workload_that_preroll_does_not_know_is_told(workload, login):
    data = scaled_object(workload, OPTIONS)
    (one,) = found_in(data, known=[login])
    assert (one.code, one.value) == ("unknown-workload", "streaming/player-api")
    assert "404" in one.effect
    declared = changed(data, "metadata.annotations", {"preroll.io/enabled": "true"})
    assert found_in(declared, known=[login]) == []


def service(name, namespace="monitoring"):
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
        "spec": {"service": {"name": name, "namespace": namespace}},
    }


def test_a_second_owner_of_external_metrics_is_told():
    (one,) = found_in(service("prometheus-adapter"))
    assert (one.code, one.value) == ("second-owner", "monitoring/prometheus-adapter")
    assert found_in(service("keda-operator-metrics-apiserver", "keda")) == []
    custom = changed(
        service("prometheus-adapter"), "metadata.name", "v1beta1.custom.metrics.k8s.io"
    )
    assert found_in(custom) == [], "custom metrics are another API"


def test_an_hpa_with_an_adapters_metric_beside_scaled_objects_is_told(login):
    (hpa,) = read_manifests(HPA, "hpa.yaml")
    assert found_in(hpa) == []
    codes = [one.code for one in found_in(hpa, scaled_object(login, OPTIONS))]
    assert codes == ["second-owner"]


def test_two_autoscalers_for_one_workload_are_told_unless_keda_takes_over(workload, hpa):
    (manifest,) = read_manifests(HPA, "hpa.yaml")
    taken = scaled_object(workload, OPTIONS, hpa)
    assert found_in(manifest, taken) == []
    fresh = scaled_object(workload, OPTIONS)
    (one,) = [trap for trap in found_in(manifest, fresh) if trap.code == "two-autoscalers"]
    assert one.subject == "ScaledObject streaming/player-api"
    assert "HorizontalPodAutoscaler streaming/player scales the same" in one.effect
    assert "horizontalPodAutoscalerConfig.name: player" in one.advice
    second = changed(fresh, "metadata.name", "player-api-2")
    (one,) = found_in(fresh, second)
    assert (one.code, one.advice) == ("two-autoscalers", "keep one of them")
    elsewhere = changed(second, "metadata.namespace", "staging")
    assert [one.code for one in found_in(fresh, elsewhere)] == ["address"]


def test_a_share_of_a_request_that_nobody_makes_is_told(workload):
    containers = [
        {"name": "app", "resources": {"requests": {"cpu": "500m"}}},
        {"name": "sidecar", "resources": {"requests": {"memory": "1Gi"}}},
    ]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "player-api", "namespace": "streaming"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    data = scaled_object(workload, OPTIONS)
    (one,) = found_in(deployment, data)
    assert (one.code, one.field) == ("no-requests", "spec.triggers[1]")
    assert "container sidecar has no resources.requests.cpu" in one.effect
    only = changed(data, "spec.triggers.1.metadata.containerName", "app")
    assert found_in(deployment, only) == []
    containers[1]["resources"]["limits"] = {"cpu": "1"}
    assert found_in(deployment, data) == []


def test_nothing_is_too_broken_to_be_looked_at(workload):
    data = scaled_object(workload, OPTIONS)
    for place in ("spec", "metadata", "spec.triggers", "spec.advanced", "spec.fallback"):
        for value in (None, [], "x", 3, [None, 1, {}], {"a": None}):
            find_traps([changed(data, place, value)], [workload], OPTIONS)
    find_traps([{}, {"kind": "ScaledObject"}, {"kind": "HorizontalPodAutoscaler"}])


def test_an_older_object_is_judged_as_it_is():
    (older,) = read_manifests(SCALED_OBJECT, "so.yaml")
    assert find_traps([older]) == [], "no Preroll in it, and nothing wrong with the rest"
    wrong = changed(older, "spec.triggers.0.metadata.treshold", "120")
    (one,) = find_traps([wrong])
    assert one.advice == "write threshold"


def test_the_example_of_an_older_version_says_how_to_make_up_for_it(workload):
    options = replace(OPTIONS, kubernetes=(1, 34))
    (one,) = found_in(scaled_object(workload, options), options=options)
    assert one.code == "dead-band"
    assert "by 1.1" in one.advice


def test_traps_come_in_the_order_of_the_objects(workload, login):
    first = changed(scaled_object(workload, OPTIONS), "spec.triggers.0.metricType", "Value")
    second = changed(scaled_object(login, OPTIONS), "spec.triggers.0.metricType", "Value")
    names = [one.subject for one in find_traps(yaml.safe_load_all(yaml.dump_all([second, first])))]
    assert names == ["ScaledObject accounts/login", "ScaledObject streaming/player-api"]
