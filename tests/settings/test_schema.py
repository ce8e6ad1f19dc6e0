"""The JSON schema says what the settings say."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from forecaster.errors import SettingsError
from forecaster.settings import load_settings, settings_schema
from forecaster.settings.document import read_document

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "preroll.yaml"


@pytest.fixture(scope="module")
def validator():
    schema = settings_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def keys_in(schema, node, place=""):
    """Every key of a schema, with what stands there."""
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] | node if "$ref" in node else node
    for name, inner in node.get("properties", {}).items():
        named = schema["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else {}
        described = {"description": named.get("description"), **inner}
        yield f"{place}.{name}".removeprefix("."), described
        yield from keys_in(schema, inner, f"{place}.{name}")
    if "items" in node:
        yield from keys_in(schema, node["items"], f"{place}[]")


def test_the_example_is_valid_by_schema_and_by_settings(validator):
    validator.validate(read_document(EXAMPLE).data)
    settings = load_settings(EXAMPLE, {})
    assert len(settings.fleet.workloads) == 4


def test_the_example_shows_every_key():
    shown = EXAMPLE.read_text()
    schema = settings_schema()
    absent = [
        place
        for place, _ in keys_in(schema, schema)
        if f"{place.rpartition('.')[2]}:" not in shown
        and place.rpartition(".")[2] not in {"bearer_token", "password", "tokens", "events_tokens"}
    ]
    assert absent == []


def test_every_key_is_described_and_has_an_example_that_is_valid():
    schema = settings_schema()
    for place, node in keys_in(schema, schema):
        assert node.get("description"), place
        assert node.get("examples"), place
        inner = {"$defs": schema["$defs"], **node}
        for example in node["examples"]:
            jsonschema.Draft202012Validator(inner).validate(example)
        if "default" in node:
            jsonschema.Draft202012Validator(inner).validate(node["default"])


@pytest.mark.parametrize(
    "change",
    [
        "stp: 1m",
        "step: 60",
        "step: soon",
        "workloads: []",
        "workloads: [{namespace: tv, name: api}]",
        "workloads: [{namespace: tv, name: Api, capacity: 1}]",
        "workloads: [{namespace: tv, name: api, capacity: 0}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, quantile: 1.0}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, quantile: 0}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, min_replicas: -1}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, max_replicas: 0}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, mode: on}]",
        "source: {}",
        "source: {file: {path: a}, prometheus: {url: 'http://a', query: up}}",
        "source: {prometheus: {url: a, query: up}}",
        "server: {port: 70000}",
        "server: {port: -1}",
        "server: {tokens: []}",
        "workloads: [{namespace: tv, name: api, capacity: 1, quantile: 0.9999}]",
        "workloads: [{namespace: tv, name: api, capacity: 1, max_replicas: 1000001}]",
        "log: {level: loud}",
    ],
)
def test_what_the_settings_refuse_an_editor_marks_too(validator, tmp_path, change):
    base = {
        "source": {"file": {"path": "a.csv"}},
        "workloads": [{"namespace": "tv", "name": "api", "capacity": 1}],
    }
    changed = base | yaml.safe_load(change)
    validator.validate(base)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(changed)
    path = tmp_path / "preroll.yaml"
    path.write_text(yaml.safe_dump(changed))
    with pytest.raises(SettingsError):
        load_settings(path, {})


def test_defaults_read_as_people_write_them():
    schema = settings_schema()
    found = {place: node.get("default") for place, node in keys_in(schema, schema)}
    assert found["step"] == "1m"
    assert found["training.every"] == "6h"
    assert found["defaults.lead_time"] == "5m"
    assert found["defaults.mode"] == "active"
    assert "default" not in dict(keys_in(schema, schema))["workloads[].lead_time"]
