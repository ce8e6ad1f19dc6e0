"""Objects come as files, lists, JSON and several documents; what is none is told with its place."""

from __future__ import annotations

import json

import pytest

from forecaster.errors import ManifestError
from forecaster.migration.manifests import ManifestText, read_manifests
from tests.migration.conftest import hpa

ONE = json.dumps(hpa())


def names(*texts):
    read = read_manifests(ManifestText(f"{n}.yaml", text) for n, text in enumerate(texts))
    return [one.called for one in read]


def test_json_yaml_lists_and_several_documents_are_the_same():
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [hpa(), hpa("manifest")]})
    typed = json.dumps({"kind": "HorizontalPodAutoscalerList", "items": [hpa(), hpa("manifest")]})
    documents = f"---\n{ONE}\n---\n# nothing\n---\n{json.dumps(hpa('manifest'))}\n"
    expected = [f"HorizontalPodAutoscaler streaming/{one}" for one in ("player-api", "manifest")]
    assert names(listed) == names(typed) == names(documents) == expected
    assert names(ONE, json.dumps(hpa("manifest"))) == expected


def test_the_place_is_file_and_line():
    text = f"kind: List\nitems:\n- {ONE}\n- {json.dumps(hpa('manifest'))}\n"
    assert [one.place for one in read_manifests([ManifestText("all.yaml", text)])] == [
        "all.yaml:line 3",
        "all.yaml:line 4",
    ]


def test_an_object_without_a_namespace_is_in_the_default_one():
    data = hpa()
    del data["metadata"]["namespace"]
    assert names(json.dumps(data)) == ["HorizontalPodAutoscaler default/player-api"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "0.yaml:line 2: not YAML"),
        ("just words", "0.yaml:line 1: a Kubernetes object is a mapping with apiVersion and kind"),
        ("kind: List\nitems: [3]", "0.yaml:line 2: an item of a List is an object, not '3'"),
        ("", "there is no Kubernetes object in it; write for example kubectl get hpa"),
        # Two files that were joined by cat: the first object would be lost.
        (
            "kind: A\nspec: {}\nkind: B\n",
            "0.yaml:line 3: 'kind' stands already in line 1; write it once, and between two",
        ),
    ],
    ids=["no-yaml", "no-object", "no-item", "empty", "twice"],
)
def test_what_is_no_manifest_is_told_with_its_place(text, told):
    with pytest.raises(ManifestError) as refused:
        names(text)
    assert told in str(refused.value)
