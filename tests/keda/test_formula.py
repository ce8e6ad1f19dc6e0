"""The formula says what HPA would do with the triggers one by one."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.keda import ScaledObjectOptions, make_scaled_object, scaled_object
from forecaster.keda.formula import scaling_modifiers, with_variables

OPTIONS = ScaledObjectOptions(formula=True)
PREROLL = {"type": "metrics-api", "name": "preroll", "metadata": {"targetValue": "1"}}


def prometheus(name, threshold):
    return {"type": "prometheus", "name": name, "metadata": {"threshold": threshold}}


def evaluate(formula, values):
    """The formula as its language has it: ?? takes the right side where the left is nil."""
    python = re.sub(r"(\w+) \?\? 0", r"(0 if \1 is None else \1)", formula)
    return eval(python, {"__builtins__": {}, "max": max}, dict(values))


@given(
    preroll=st.none() | st.floats(0, 1000),
    values=st.lists(st.tuples(st.none() | st.floats(0, 1e6), st.integers(1, 500)), max_size=4),
)
def test_it_is_the_largest_of_each_value_over_its_target(preroll, values):
    triggers = [prometheus(f"t{at}", str(target)) for at, (_, target) in enumerate(values)]
    made, reasons = scaling_modifiers([PREROLL, *triggers], {}, "x")
    assert reasons == []
    known = {"preroll": preroll} | {f"t{at}": value for at, (value, _) in enumerate(values)}
    # HPA of AverageValue: each value by its own target, the largest of those that answer.
    each = [preroll or 0.0] + [value / target for value, target in values if value is not None]
    assert math.isclose(evaluate(made["formula"], known), max(each), abs_tol=1e-12)
    assert (made["target"], made["metricType"]) == ("1", "AverageValue")


def test_external_triggers_are_in_it_and_cpu_stays_beside(login, older):
    made = make_scaled_object(login, OPTIONS, older)
    spec = made.data["spec"]
    assert spec["advanced"]["scalingModifiers"]["formula"] == (
        "max([preroll ?? 0, (log_ins ?? 0) / 120, (kafka ?? 0) / 50])"
    )
    assert [one["name"] for one in spec["triggers"]] == ["preroll", "log_ins", "kafka"]
    assert spec["fallback"]["behavior"] == "scalingModifiers"
    renamed = [one for one in made.traps if one.code == "trigger-renamed"]
    assert [one.value for one in renamed] == ["log-ins", "without a name"]


def test_with_nothing_external_beside_it_is_preroll_alone(workload, hpa):
    spec = scaled_object(workload, OPTIONS, hpa)["spec"]
    assert spec["advanced"]["scalingModifiers"]["formula"] == "max([preroll ?? 0])"
    assert [one["type"] for one in spec["triggers"]] == ["metrics-api", "cpu", "memory"]


def test_before_keda_2_20_nothing_is_left_out_of_it(login, older):
    spec = scaled_object(login, replace(OPTIONS, keda=(2, 19)), older)["spec"]
    formula = spec["advanced"]["scalingModifiers"]["formula"]
    assert formula == "max([preroll, log_ins / 120, kafka / 50])"
    assert "behavior" not in spec["fallback"], "as it was: static"


def test_an_older_formula_is_one_term_of_the_new_one(login, older):
    modifiers = {"formula": "log_ins +\n  kafka", "target": "20", "activationTarget": "2"}
    named = ({**older.triggers[0], "name": "log_ins"}, {**older.triggers[1], "name": "kafka"})
    spec = {**older.spec, "advanced": {"scalingModifiers": modifiers}}
    found = replace(older, spec=spec, triggers=named)
    # Also where no formula is asked for: beside one, a trigger that it does not name is not heard.
    for options in (OPTIONS, ScaledObjectOptions()):
        made = scaled_object(login, options, found)["spec"]["advanced"]["scalingModifiers"]
        assert made["formula"] == "max([preroll ?? 0, (log_ins + kafka) / 20])"
        assert made["target"] == "1"


@pytest.mark.parametrize(
    ("trigger", "place", "why"),
    [
        ({**prometheus("a", "10"), "metricType": "Value"}, "metricType", "multiplies"),
        ({"type": "solr", "name": "a", "metadata": {}}, "type", "not known here"),
        (prometheus("a", "0"), "metadata.threshold", "no target above 0"),
        ({"type": "kafka", "name": "a", "metadata": {}}, "metadata.lagThreshold", "no target"),
    ],
    ids=["value", "unknown-kind", "zero", "left-out"],
)
def test_what_cannot_be_a_term_leaves_the_formula_out_and_is_told(
    login, older, trigger, place, why
):
    made = make_scaled_object(login, OPTIONS, replace(older, triggers=(trigger,)))
    assert "scalingModifiers" not in made.data["spec"]["advanced"]
    (trap,) = made.traps
    assert trap.code == "formula-impossible"
    assert trap.field == f"spec.triggers[1].{place}"
    assert why in trap.effect


def test_cron_counts_in_replicas_already():
    cron = {"type": "cron", "name": "evening", "metadata": {"desiredReplicas": "20"}}
    made, _ = scaling_modifiers([PREROLL, cron], {}, "x")
    assert made["formula"] == "max([preroll ?? 0, evening ?? 0])"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("requests", "requests"),
        ("log-ins.a", "log_ins_a"),
        ("5xx", "trigger_5xx"),
        ("max", "trigger_max"),
        ("not", "trigger_not"),
        ("é", "trigger"),
        ("preroll", "preroll"),
    ],
)
def test_names_become_words_that_a_formula_can_say(name, variable):
    (one,), _ = with_variables([prometheus(name, "1")])
    assert one["name"] == variable


def test_two_names_stay_two():
    triggers, renamed = with_variables([prometheus("a-b", "1"), prometheus("a.b", "1")])
    assert [one["name"] for one in triggers] == ["a_b", "a_b_2"]
    assert renamed == {"a-b": "a_b", "a.b": "a_b_2"}
