"""The text: one order, the same bytes, the same values for every parser, and its comments."""

from __future__ import annotations

import random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from forecaster.keda import ScaledObjectOptions, reasons_of, scaled_object, write_yaml
from forecaster.keda.yaml_text import write_yaml as write
from forecaster.programme.yaml_data import read_yaml_documents

OPTIONS = ScaledObjectOptions()
SAFE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = st.text(SAFE, max_size=20) | st.sampled_from(
    [
        "yes", "No", "on", "null", "~", "", " ", "1", "1e3", "0x1f", "012", "1:30", "2026-11-28",
        "2026-11-28T10:00:00Z", ".5", "=", "<<", "- a", "a: b", "a #b", "#", "*a", "&a", "!t",
        "%", "@", "`", "'", '"', "\\", "|", ">", "{", "[", "a\nb", "a\nb\n", "\na", "a\n", "a\n\n",
        " a\nb", "a \nb", "\ta\nb", "a\n\nb", "é\x85ü", "\u2028", "\ufeff", "😀", "1_000", "true",
        "---", "...", "? a", ": a", ".inf", "NaN", "0o17", "0b1", "+1", "-", "1.", "a\rb", "\x7f",
    ]
)  # fmt: skip
KEYS = st.text(SAFE, min_size=1, max_size=10) | st.sampled_from(["yes", "1", "a b", "#", "null"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_a_parser_of_yaml_1_1_reads_what_was_written(data):
    assert list(yaml.safe_load_all(write([data, data]))) == [data, data]


@given(st.dictionaries(KEYS, TEXTS, min_size=1, max_size=4))
def test_so_does_one_of_yaml_1_2(data):
    (document,) = read_yaml_documents(write([data]), "text")
    assert document.data == data


def test_every_object_reads_back(workload, hpa, login, older):
    made = [scaled_object(workload, OPTIONS, hpa), scaled_object(login, OPTIONS, older)]
    text = write_yaml(made, lambda one: reasons_of(one, OPTIONS))
    assert list(yaml.safe_load_all(text)) == made
    assert all(len(line) <= 80 for line in text.splitlines() if not line.endswith('"'))


def test_the_order_is_that_of_people_whatever_the_order_before(workload):
    made = scaled_object(workload, OPTIONS)
    text = write_yaml([made])
    for seed in range(5):
        assert write_yaml([shuffled(made, random.Random(seed))]) == text
    lines = text.splitlines()
    assert lines[:3] == ["apiVersion: keda.sh/v1alpha1", "kind: ScaledObject", "metadata:"]
    assert text.index("scaleTargetRef") < text.index("minReplicaCount") < text.index("triggers")
    assert text.index("type: metrics-api") < text.index("name: preroll") < text.index("url:")


def shuffled(value, chance):
    if isinstance(value, dict):
        items = list(value.items())
        chance.shuffle(items)
        return {key: shuffled(one, chance) for key, one in items}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


def test_what_must_be_a_string_is_in_quotes(workload):
    text = write_yaml([scaled_object(workload, OPTIONS)])
    for line in ('targetValue: "1"', 'tolerance: "0"', 'format: "json"', 'value: "70"'):
        assert line in text
    assert "minReplicaCount: 4\n" in text


def test_a_query_of_several_lines_keeps_them(login, older):
    text = write_yaml([scaled_object(login, OPTIONS, older)])
    assert (
        "        query: |\n          sum(\n            rate(logins_total[2m])\n          )\n"
        in text
    )


@pytest.mark.parametrize("formula", [False, True])
def test_comments_say_why_and_change_nothing(workload, formula):
    options = ScaledObjectOptions(formula=formula)
    made = scaled_object(workload, options)
    bare, told = write_yaml([made]), write_yaml([made], lambda one: reasons_of(one, options))
    kept = [line for line in told.splitlines() if not line.lstrip().startswith("#")]
    assert kept == bare.splitlines()
    assert len(told.splitlines()) > 1.5 * len(kept)


def test_comments_fit_the_version_and_the_older_object(workload, hpa):
    old = ScaledObjectOptions(kubernetes=(1, 34), keda=(2, 19))
    text = write_yaml([scaled_object(workload, old)], lambda one: reasons_of(one, old))
    assert "preroll.yaml by 1.1" in text
    text = write_yaml(
        [scaled_object(workload, OPTIONS, hpa)], lambda o: reasons_of(o, OPTIONS, hpa)
    )
    steps = [line.strip("# ")[:2] for line in text.splitlines() if line.startswith("#   ")]
    assert [one for one in steps if one[:1].isdigit()] == ["1.", "2.", "3.", "4."]
    assert "The way back: delete this object" in text
    assert "spec.metrics[2]: External http_requests" in text
