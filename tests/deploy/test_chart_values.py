"""values.yaml and its schema: complete, described and strict; and what is refused, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import helm_python
import pytest
import yaml

from deploy.render import CHART, render, values_schema
from tests.deploy.chart import NAMES, values

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEXT = (CHART / "values.yaml").read_text()
DEFAULTS = yaml.safe_load(TEXT)


def test_the_settings_in_the_schema_are_those_of_the_service() -> None:
    # A failure here means: make manifests
    assert (CHART / "values.schema.json").read_text() == values_schema()


def objects(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a map that is the chart's own; the settings and raw objects are not."""
    if "properties" in schema and place != ".settings":
        yield place, schema
        for key, inner in schema["properties"].items():
            yield from objects(inner, f"{place}.{key}")


def test_every_map_of_the_charts_own_is_strict_and_every_key_described() -> None:
    own = dict(objects(SCHEMA))
    assert {"", ".image", ".networkPolicy.keda", ".keda.triggerAuthentication"} <= own.keys()
    for place, schema in own.items():
        assert schema["additionalProperties"] is False, place
        for key, inner in schema["properties"].items():
            assert inner.get("description", "").endswith("."), f"{place}.{key}"


def keys(defaults: dict[str, Any], schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Where values.yaml and the schema differ."""
    known = schema["properties"]
    yield from (f"{place}.{key} has no schema" for key in defaults.keys() - known.keys())
    yield from (f"{place}.{key} has no default" for key in known.keys() - defaults.keys())
    for key in defaults.keys() & known.keys():
        if isinstance(defaults[key], dict) and "properties" in known[key]:
            yield from keys(defaults[key], known[key], f"{place}.{key}")


def test_every_value_has_a_default_and_a_schema() -> None:
    found = [one for one in keys(DEFAULTS, SCHEMA) if not one.startswith(".settings")]
    optional = {f".{name}Probe.{key} has no default" for name in ("startup", "liveness",
        "readiness") for key in ("successThreshold", "initialDelaySeconds")}  # fmt: skip
    assert set(found) == optional | {".global has no default"}


def test_every_group_of_values_begins_with_what_it_is_about() -> None:
    groups = [group for group in TEXT.split("\n\n") if yaml.safe_load(group)]
    assert len(groups) > 25
    assert [group for group in groups if not group.lstrip().startswith("# ")] == []


def test_the_examples_in_comments_are_an_installation() -> None:
    example = r"^  # ( *(source|prometheus|url|query|workloads):.*| *- \{.*)$"
    settings = yaml.safe_load(re.sub(example, r"  \1", TEXT, flags=re.MULTILINE))["settings"]
    assert set(settings) - set(DEFAULTS["settings"]) == {"source", "workloads"}
    assert "deployment.yaml" in render({"settings": settings})


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_takes_every_value_file(name: str) -> None:
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(chart.merge_values(values(name)))


SOURCE = {"prometheus": {"url": "http://prometheus.monitoring.svc:9090", "query": "a"}}
SETTINGS = {
    "source": SOURCE,
    "workloads": [{"namespace": "streaming", "name": "player-api", "capacity": 120}],
}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"replicas": 1}, "additional properties 'replicas' not allowed"),
        ({"replicaCount": "1"}, "at '/replicaCount': got string, want integer"),
        ({"image": {"name": "preroll"}}, "at '/image': additional properties 'name' not allowed"),
        ({"image": {"digest": "sha256:abc"}}, "at '/image/digest': 'sha256:abc' does not match"),
        ({"image": {"repository": "preroll latest"}}, "at '/image/repository': 'preroll latest'"),
        ({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy': value must be one of"),
        ({"tokens": {"token": "x"}}, "at '/tokens': additional properties 'token' not allowed"),
        ({"persistence": {"accessMode": "ReadWriteMany"}}, "at '/persistence/accessMode': value"),
        ({"persistence": {"size": "lots"}}, "at '/persistence/size': 'lots' does not match"),
        ({"listen": {"port": 80}}, "at '/listen/port': minimum: got 80, want 1,024"),
        ({"service": {"type": "LoadBalancer"}}, "additional properties 'type' not allowed"),
        ({"service": {"ipFamilies": ["IPv5"]}}, "at '/service/ipFamilies/0': value must be one"),
        ({"networkPolicy": {"source": {"ports": []}}}, "at '/networkPolicy/source/ports': minIt"),
        (
            {"networkPolicy": {"keda": {"from": [{"namespace": "keda"}]}}},
            "at '/networkPolicy/keda/from/0': additional properties 'namespace' not allowed",
        ),
        ({"networkPolicy": {"keda": {"from": [{}]}}}, "at '/networkPolicy/keda/from/0': minProp"),
        ({"serviceMonitor": {"interval": "often"}}, "at '/serviceMonitor/interval': 'often' does"),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName"),
        ({"commonAnnotations": {"a": 1}}, "at '/commonAnnotations/a': got number, want string"),
        ({"keda": {"triggerAuthentication": {"namespaces": "a"}}}, "got string, want array"),
        ({"fullnameOverride": "Preroll"}, "at '/fullnameOverride': 'Preroll' does not match"),
        ({"settingsExtraFiles": {"tokens": "x"}}, "invalid propertyName 'tokens'"),
        ({"terminationGracePeriodSeconds": 1}, "minimum: got 1, want 5"),
        ({"settings": {"kubernetes": {"wacth": True}}}, "additional properties 'wacth' not allo"),
        ({"settings": {"defaults": {"mode": "activ"}}}, "at '/settings/defaults/mode': value"),
    ],
    ids=lambda one: json.dumps(one) if isinstance(one, dict) else "",
)
def test_the_schema_refuses(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(helm_python.HelmValuesError) as caught:
        render({"settings": SETTINGS, **wrong})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"replicaCount": 3}, "replicaCount is 3 and has to be 1: the embedded store has one writ"),
        ({"replicaCount": 0}, "replicaCount is 0 and has to be 1"),
        ({"settings": {}}, "no traffic to learn from: say where it comes from in settings.sou"),
        ({"settings": {"source": SOURCE}}, "nothing to plan for: name workloads in settings.wo"),
        ({"settingsFile": "source: {file: {path: a}}\n"}, "nothing to plan for"),
        ({"settingsFile": "a: [\n"}, "settingsFile is not YAML"),
        ({"settingsFile": "- a\n"}, "settingsFile is not YAML"),
        (
            {"settings": {**SETTINGS, "server": {"tokens": ["x"]}}},
            "settings.server.tokens: a ConfigMap is no place for tokens",
        ),
        (
            {"settingsFile": "source: {a: b}\nworkloads: [{}]\nserver: {events_tokens: [x]}\n"},
            "settings.server.events_tokens: a ConfigMap is no place for tokens",
        ),
        (
            {"tokens": {"create": True, "value": "x", "existingSecret": "y"}},
            "tokens.create and tokens.existingSecret exclude each other",
        ),
        (
            {"extraEnv": [{"name": "PREROLL_SERVER__PORT", "value": "80"}]},
            "extraEnv: PREROLL_SERVER__PORT follows from the pod; change listen, service",
        ),
        ({"tokens": {"create": True}}, "tokens.create needs tokens.value"),
        (
            {"tokens": {"create": True, "value": "x", "events": True}},
            "tokens.create and tokens.events need tokens.eventsValue",
        ),
    ],
    ids=lambda one: json.dumps(one) if isinstance(one, dict) else "",
)
def test_the_templates_refuse_in_a_sentence(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(helm_python.HelmRenderError) as caught:
        render({"settings": SETTINGS, **wrong})
    assert told in str(caught.value)
