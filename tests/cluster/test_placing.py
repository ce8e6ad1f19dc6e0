from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from forecaster.cluster.placing import ANYWHERE, Placement, Requirement, Taint, Toleration

VIDEO = Taint("dedicated", "video", "NoSchedule")


def test_the_worked_examples_hold() -> None:
    assert doctest.testmod(import_module("forecaster.cluster.placing")).failed == 0


@pytest.mark.parametrize(
    ("requirement", "where", "elsewhere", "unlabelled"),
    [
        (Requirement("zone", "In", ("a", "b")), True, False, False),
        (Requirement("zone", "NotIn", ("a", "b")), False, True, True),
        (Requirement("zone", "Exists"), True, True, False),
        (Requirement("zone", "DoesNotExist"), False, False, True),
        (Requirement("zone", "Resembles", ("a",)), True, True, True),
    ],
    ids=lambda one: one.operator if isinstance(one, Requirement) else None,
)
def test_a_label_is_judged_as_kubernetes_does(
    requirement: Requirement, where: bool, elsewhere: bool, unlabelled: bool
) -> None:
    labels: tuple[dict[str, str], ...] = ({"zone": "a"}, {"zone": "c"}, {})
    assert [requirement.matches(one) for one in labels] == [where, elsewhere, unlabelled]


@pytest.mark.parametrize(
    ("cpus", "above", "below"),
    [("7", False, True), ("8", False, False), ("16", True, False), ("many", False, False)],
)
def test_a_label_is_compared_as_a_number(cpus: str, above: bool, below: bool) -> None:
    labels = {"cpus": cpus}
    assert Requirement("cpus", "Gt", ("8",)).matches(labels) is above
    assert Requirement("cpus", "Lt", ("8",)).matches(labels) is below
    assert not Requirement("cpus", "Gt", ("8",)).matches({})


@pytest.mark.parametrize(
    ("toleration", "tolerates"),
    [
        (Toleration("dedicated", "Equal", "video", "NoSchedule"), True),
        (Toleration("dedicated", "Equal", "video"), True),
        (Toleration("dedicated", "Equal", "audio"), False),
        (Toleration("dedicated", "Exists"), True),
        (Toleration("dedicated", "Exists", "", "NoExecute"), False),
        (Toleration("other", "Exists"), False),
        (Toleration("", "Exists"), True),
    ],
)
def test_a_taint_is_tolerated_as_kubernetes_does(toleration: Toleration, tolerates: bool) -> None:
    assert toleration.tolerates(VIDEO) is tolerates


def test_equal_to_no_key_at_all_is_no_toleration() -> None:
    bare = Taint("spot", "", "NoSchedule")
    assert Toleration("spot").tolerates(bare)
    assert not Toleration().tolerates(bare)


def test_each_taint_needs_a_toleration_and_one_term_is_enough() -> None:
    both = (VIDEO, Taint("spot", "", "NoExecute"))
    assert ANYWHERE.tolerates(())
    assert ANYWHERE.selects({})
    assert not ANYWHERE.tolerates((VIDEO,))
    assert not Placement((), (Toleration("dedicated", "Exists"),)).tolerates(both)
    zones = Placement(
        (
            (Requirement("zone", "In", ("a",)), Requirement("pool", "Exists")),
            (Requirement("zone", "In", ("b",)),),
        )
    )
    assert not zones.selects({"zone": "a"})
    assert zones.selects({"zone": "a", "pool": "x"})
    assert zones.selects({"zone": "b"})
    assert zones.keys == {"zone", "pool"}
    assert str(zones) == "zone=a, pool or zone=b"
