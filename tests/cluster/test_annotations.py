from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from forecaster.cluster.annotations import KEYS, DeclaredWorkload, read_annotations
from forecaster.cluster.seen import ScaledObjectSeen, TargetRef
from forecaster.planning.capacity import Mode
from forecaster.settings.workload_shape import DefaultsShape, WorkloadShape

PLAYER = ScaledObjectSeen(
    "streaming",
    "player",
    "uid-1",
    "7",
    TargetRef("Deployment", "player-api"),
    2,
    60,
    labels={"tier": "edge", "empty": ""},
)
DEFAULTS = DefaultsShape(
    lead_time=timedelta(minutes=3), quantile=0.9, min_replicas=1, max_replicas=10
)


def annotated(**annotations: str) -> ScaledObjectSeen:
    told = {f"preroll.io/{key.replace('_', '-')}": text for key, text in annotations.items()}
    return replace(PLAYER, annotations=told)


def declared(**annotations: str) -> DeclaredWorkload:
    found = read_annotations(annotated(enabled="true", **annotations), DEFAULTS)
    assert isinstance(found, DeclaredWorkload), found
    return found


def problems(**annotations: str) -> list[str]:
    found = read_annotations(annotated(**annotations), DEFAULTS)
    assert isinstance(found, tuple), found
    return [str(one) for one in found]


def test_what_is_left_out_comes_from_the_object_and_from_the_defaults() -> None:
    found = declared(capacity="120").settings
    assert found.workload == "streaming/player-api"
    assert found.rule.capacity_rps == 120.0
    assert (found.rule.min_replicas, found.rule.max_replicas) == (2, 60)
    assert (found.rule.lead_time, found.rule.quantile) == (timedelta(minutes=3), 0.9)
    assert found.labels == {"tier": "edge"}


def test_every_annotation_says_what_its_key_says_in_the_file() -> None:
    told = {
        "capacity": "12.5",
        "target_utilisation": "0.65",
        "lead_time": "90s",
        "quantile": "0.99",
        "min_replicas": "3",
        "max_replicas": "40",
        "hold_down": "2m",
        "mode": "shadow",
        "name": "player",
    }
    assert set(told) == set(KEYS.values())
    found = declared(**told)
    from_file = WorkloadShape.model_validate(
        {
            "namespace": "streaming",
            "labels": {"tier": "edge"},
            **{key: yaml.safe_load(text) for key, text in told.items()},
        }
    )
    assert found.shape == from_file
    assert found.settings.rule.mode is Mode.SHADOW
    assert found.source.target.name == "player-api"


def test_every_key_of_a_workload_can_be_annotated_but_where_it_stands() -> None:
    assert {*KEYS.values(), "namespace", "labels"} == set(WorkloadShape.model_fields)


def test_capacity_and_lead_time_may_be_measured() -> None:
    found = declared(capacity="auto", lead_time="auto").settings
    assert (found.measured.capacity, found.measured.lead_time) == (True, True)
    assert found.rule.mode is Mode.OFF
    assert "not been measured" in found.why_off


@pytest.mark.parametrize(
    "annotations", [{}, {"enabled": "false"}, {"enabled": "false", "mode": "x"}]
)
def test_an_object_that_declares_nothing_is_no_problem(annotations: dict[str, str]) -> None:
    assert read_annotations(annotated(**annotations), DEFAULTS) is None


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        (
            {"lead_time": "fast"},
            "preroll.io/lead-time: 'fast' is not a duration; for example: 5m",
        ),
        (
            {"lead_time": "5"},
            "preroll.io/lead-time: '5' has no unit; write 5s or 5m if that is meant; "
            "for example: 5m",
        ),
        (
            {"capacity": "0"},
            "preroll.io/capacity: '0' is too small, it must be above 0; for example: \"120\"",
        ),
        (
            {"capacity": "much"},
            "preroll.io/capacity: 'much' is not a number; for example: \"120\"",
        ),
        (
            {"quantile": "98"},
            "preroll.io/quantile: 98 must lie between 0.001 and 0.999: the errors of at most "
            '42 days cannot show rarer ones; for example: "0.98"',
        ),
        (
            {"min_replicas": "-1"},
            "preroll.io/min-replicas: '-1' is too small, it must be at least 0; for example: \"2\"",
        ),
        (
            {"max_replicas": "1.5"},
            "preroll.io/max-replicas: '1.5' is not a whole number; for example: \"100\"",
        ),
        (
            {"mode": "shaddow"},
            "preroll.io/mode: 'shaddow' is not one of active, shadow, off; did you mean shadow?; "
            "for example: shadow",
        ),
        (
            {"name": "Player"},
            "preroll.io/name: 'Player' is not a Kubernetes name: small letters, digits, dashes and "
            "dots, none of them at the ends; for example: player-api",
        ),
        (
            {"min_replicas": "80"},
            "preroll.io/min-replicas: at least 80 replicas and at most 60 cannot be; "
            'for example: "60"',
        ),
        (
            {"max_replicas": "1"},
            "preroll.io/max-replicas: at least 2 replicas and at most 1 cannot be; "
            'for example: "60"',
        ),
        (
            {"leadtime": "5m"},
            "preroll.io/leadtime: unknown key; did you mean preroll.io/lead-time?",
        ),
        (
            {"zzz": "5m"},
            "preroll.io/zzz: unknown key; known below preroll.io/: enabled, capacity, "
            "target-utilisation, lead-time, quantile, min-replicas, max-replicas, hold-down, mode, "
            "name",
        ),
    ],
)
def test_an_annotation_that_cannot_be_used_is_named_with_a_valid_one(
    annotations: dict[str, str], said: str
) -> None:
    assert problems(enabled="true", **{"capacity": "120", **annotations}) == [said]


def test_all_problems_of_an_object_are_told_at_once() -> None:
    found = problems(enabled="true", lead_time="fast", hold_down="-", modus="active")
    assert [one.partition(":")[0] for one in found] == [
        "preroll.io/modus",
        "preroll.io/capacity",
        "preroll.io/lead-time",
        "preroll.io/hold-down",
    ]
    assert found[1] == 'preroll.io/capacity: it is required; for example: "120"'


def test_annotations_without_the_one_that_switches_on_are_told() -> None:
    assert problems(capacity="120") == [
        "preroll.io/enabled: it is missing, and so the other annotations are not looked at; "
        'for example: "true"'
    ]


@pytest.mark.parametrize("text", ["True", "yes", "1", ""])
def test_enabled_is_true_or_false_and_nothing_else(text: str) -> None:
    assert problems(enabled=text, capacity="120") == [
        f'preroll.io/enabled: {text!r} is neither true nor false; for example: "true"'
    ]


def test_an_unknown_key_is_told_also_where_nothing_is_enabled() -> None:
    assert problems(enable="true") == [
        "preroll.io/enable: unknown key; did you mean preroll.io/enabled?"
    ]


def test_an_object_without_sound_bounds_of_its_own_is_told() -> None:
    odd = replace(annotated(enabled="true", capacity="120"), max_replicas=0, min_replicas=0)
    found = read_annotations(odd, DEFAULTS)
    assert isinstance(found, tuple)
    assert [one.place for one in found] == ["preroll.io/max-replicas"]
