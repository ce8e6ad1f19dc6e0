"""ResourceQuotas by what they count: limits beside requests, and their scopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from forecaster.cluster.fit import capacity_warnings
from forecaster.cluster.fit_quota import counts
from forecaster.cluster.fit_warning import FitWarning, Limit, news
from forecaster.cluster.placing import Requirement
from forecaster.cluster.planned import Planned
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import QuotaSeen
from tests.cluster.plan_cases import EIGHT, GIB, MINUTE, asking

PEAK = [10] * 60 + [260] * 30 + [10] * 90
POD = PodShape(cpu=2.0, memory=4 * GIB, limit_cpu=3.0, limit_memory=6 * GIB)
OPEN = PodShape(cpu=2.0, memory=4 * GIB, limit_memory=6 * GIB, unset=("limits.cpu",))


def scope(name: str, operator: str = "Exists", *values: str) -> Requirement:
    return Requirement(name, operator, values)


def found(
    hard: Mapping[str, float],
    *plans: Planned,
    used: Mapping[str, float] = {},
    scopes: tuple[Requirement, ...] = (),
) -> FitWarning:
    team = QuotaSeen("streaming", "team", hard, used, scopes)
    (one,) = capacity_warnings(EIGHT, plans or [asking("a", PEAK, pod=POD)], [team])
    return one


@pytest.mark.parametrize(
    ("key", "hard", "used", "others", "fix"),
    [
        ("limits.cpu", 700.0, 40.0, 10.0, "from 700 to 790"),
        ("limits.memory", 1500 * GIB, 61 * GIB, GIB, "from 1500Gi to 1561Gi"),
        ("requests.cpu", 500.0, 20.0, 0.0, "from 500 to 520"),
        ("cpu", 500.0, 20.0, 0.0, "from 500 to 520"),
        ("memory", 1000 * GIB, 40 * GIB, 0.0, "from 1000Gi to 1040Gi"),
    ],
)
def test_limits_are_compared_with_limits_and_the_short_forms_are_requests(
    key: str, hard: float, used: float, others: float, fix: str
) -> None:
    one = found({key: hard}, used={key: used})
    assert (one.resource, one.used_by_others, one.at_least) == (key, others, False)
    assert one.fix == f"raise {key} of quota streaming/team {fix}"


def test_a_quota_is_one_warning_of_its_tightest_resource_that_names_the_others() -> None:
    """780 of 700 is 1.11 times, 520 of 400 is 1.3 times; the pods fit."""
    one = found({"limits.cpu": 700.0, "requests.cpu": 400.0, "pods": 300.0})
    assert [part.resource for part in one.parts] == ["requests.cpu", "limits.cpu"]
    assert (one.resource, one.wanted, one.allowed) == ("requests.cpu", 520.0, 400.0)
    assert one.text() == (
        "quota streaming/team: 520 requests.cpu wanted, 400 allowed, "
        "2026-06-14 20:59 to 2026-06-14 21:30 UTC; "
        "also 780 limits.cpu wanted, 700 allowed, from 2026-06-14 20:59 UTC; "
        "raise requests.cpu of quota streaming/team from 400 to 520 and limits.cpu from 700 to 780"
    )


@pytest.mark.parametrize(
    ("pods", "order"), [(100.0, ["pods", "requests.cpu"]), (250.0, ["requests.cpu", "pods"])]
)
def test_the_tightest_is_the_one_of_which_most_is_wanted_for_what_is_allowed(
    pods: float, order: list[str]
) -> None:
    """260 pods of 100 or of 250, 520 cores of 400; what has no room at all is the tightest."""
    one = found({"requests.cpu": 400.0, "pods": pods})
    assert [part.resource for part in one.parts] == order
    none = found({"requests.cpu": 400.0, "pods": pods, "limits.memory": 0.0})
    assert [part.resource for part in none.parts] == ["limits.memory", *order]


def test_the_soonest_of_its_resources_is_how_far_away_it_is() -> None:
    """Limits, 1.2 times, are above in half an hour; requests, twice, in one and a half."""
    soon = asking("a", [10] * 31 + [40] * 29 + [1] * 60, pod=PodShape(limit_cpu=3.0))
    late = asking("b", [1] * 91 + [60] * 29, pod=PodShape(cpu=2.0))
    one = found({"limits.cpu": 100.0, "requests.cpu": 60.0}, soon, late)
    assert (one.resource, one.spans[0].start) == ("requests.cpu", EIGHT + 90 * MINUTE)
    assert (one.start, one.hours_ahead) == (EIGHT + 30 * MINUTE, 0.5)


def test_a_resource_that_is_exceeded_as_well_is_news() -> None:
    first = found({"requests.cpu": 400.0, "limits.cpu": 800.0})
    both = found({"requests.cpu": 400.0, "limits.cpu": 700.0})
    assert news([first], [both]) == (both,)
    assert news([both], [both, first]) == ()


# What a container does not say


def test_a_limit_that_a_template_leaves_out_is_said_to_be_a_limit_ranges() -> None:
    plans = [asking("a", PEAK, pod=OPEN), asking("b", PEAK, pod=POD)]
    one = found({"limits.cpu": 700.0}, *plans)
    assert (one.wanted, one.at_least) == (780.0, True)
    assert one.note == (
        "containers of streaming/a do not all state limits.cpu: the default of a LimitRange comes "
        "on top, and without one the quota refuses new pods"
    )
    assert one.text().endswith(one.note)
    assert found({"requests.cpu": 700.0}, *plans).note == ""


def test_what_admission_made_of_a_running_pod_counts_and_not_the_template() -> None:
    admitted = replace(OPEN, limit_cpu=4.0, unset=())
    plan = replace(asking("a", PEAK, pod=OPEN), running=admitted)
    one = found({"limits.cpu": 700.0}, plan)
    assert (one.wanted, one.at_least, one.note) == (1040.0, False, "")


def test_a_pod_that_runs_without_a_limit_takes_none_for_certain() -> None:
    plans = [replace(asking("a", PEAK), running=OPEN), asking("b", PEAK, pod=POD)]
    one = found({"limits.cpu": 700.0}, *plans)
    assert (one.wanted, one.at_least) == (780.0, False)
    assert "streaming/a do not all state limits.cpu" in one.note


def test_requests_that_are_left_out_have_two_names() -> None:
    silent = PodShape(unset=("requests.cpu",))
    plans = [asking("a", PEAK, pod=silent), asking("b", PEAK, pod=POD)]
    assert "streaming/a do not all state cpu:" in found({"cpu": 500.0}, *plans).note
    assert (
        "streaming/a do not all state requests.cpu:" in found({"requests.cpu": 500.0}, *plans).note
    )


def test_of_many_workloads_five_are_named() -> None:
    plans = [asking(f"w{at}", PEAK, pod=OPEN) for at in range(7)]
    note = found({"limits.cpu": 100.0}, *plans, asking("z", PEAK, pod=POD)).note
    assert "streaming/w3, streaming/w4, others do not all state limits.cpu" in note
    assert "streaming/w5" not in note


# Scopes


@pytest.mark.parametrize(
    ("scopes", "shape", "counted"),
    [
        ((), POD, True),
        ((scope("NotTerminating"),), POD, True),
        ((scope("Terminating"),), POD, False),
        ((scope("Terminating"),), replace(POD, terminating=True), True),
        ((scope("NotTerminating"),), replace(POD, terminating=True), False),
        ((scope("BestEffort"),), POD, False),
        ((scope("BestEffort"),), PodShape(best_effort=True), True),
        ((scope("NotBestEffort"),), POD, True),
        ((scope("NotBestEffort"),), PodShape(best_effort=True), False),
        ((scope("NotBestEffort"), scope("Terminating")), POD, False),
        ((scope("CrossNamespacePodAffinity"),), POD, False),
        ((scope("CrossNamespacePodAffinity"),), replace(POD, cross_namespace=True), True),
        ((scope("VolumeAttributesClass", "In", "gold"),), POD, False),
    ],
)
def test_a_quota_counts_the_pods_that_all_its_scopes_hold_for(
    scopes: tuple[Requirement, ...], shape: PodShape, counted: bool
) -> None:
    assert counts(scopes, shape) is counted


@pytest.mark.parametrize(
    ("operator", "values", "live", "other", "none"),
    [
        ("In", ("live", "vod"), True, False, False),
        ("NotIn", ("live", "vod"), False, True, True),
        ("Exists", (), True, True, False),
        ("DoesNotExist", (), False, False, True),
    ],
)
def test_priority_classes_are_judged_as_labels_are(
    operator: str, values: tuple[str, ...], live: bool, other: bool, none: bool
) -> None:
    of_class = (scope("PriorityClass", operator, *values),)
    told = [counts(of_class, replace(POD, priority_class=one)) for one in ("live", "batch", "")]
    assert told == [live, other, none]


def test_what_nothing_is_known_of_is_counted_where_it_is_counted_in_any_case() -> None:
    assert counts((), None)
    assert counts((scope("NotTerminating"),), None)
    assert not counts((scope("NotTerminating"), scope("NotBestEffort")), None)


def test_plans_that_a_quota_does_not_count_take_none_of_it() -> None:
    """520 cores of the live class; 20 of the 40 used are those of its own 10 pods."""
    live = asking("live", PEAK, pod=replace(POD, priority_class="live"))
    vod = asking("vod", PEAK, pod=replace(POD, priority_class="vod"))
    of_live = (scope("PriorityClass", "In", "live"),)
    one = found({"cpu": 500.0}, live, vod, used={"cpu": 40.0}, scopes=of_live)
    assert (one.wanted, one.used_by_others, one.at_least) == (540.0, 20.0, False)
    assert one.workloads == ("streaming/live",)
    quota = QuotaSeen("streaming", "team", {"pods": 1.0}, {"pods": 40.0}, of_live)
    assert capacity_warnings(EIGHT, [vod], [quota]) == ()


def test_each_quota_of_a_namespace_counts_for_itself() -> None:
    plans = [
        asking("live", PEAK, pod=replace(POD, priority_class="live")),
        asking("vod", PEAK, pod=replace(POD, priority_class="vod")),
        asking("plain", PEAK, pod=POD),
    ]
    hard = {"pods": 5.0}
    quotas = [
        QuotaSeen("streaming", "all", hard),
        QuotaSeen("streaming", "live", hard, scopes=(scope("PriorityClass", "In", "live"),)),
        QuotaSeen("streaming", "some", hard, scopes=(scope("PriorityClass", "Exists"),)),
    ]
    told = capacity_warnings(EIGHT, plans, quotas)
    assert {one.name: one.wanted for one in told} == {"all": 780.0, "live": 260.0, "some": 520.0}
    assert all(one.limit is Limit.QUOTA for one in told)
