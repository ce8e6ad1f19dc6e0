"""The cluster for Prometheus: names, labels, and no sample where nothing is known."""

from __future__ import annotations

import math
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from forecaster.cluster.fit_warning import Excess
from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.standing import Reason
from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.cluster_messages import ClusterHealth, SeenLead, SeenWorkload
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload
from tests.api.around import DELIVERY, FIT, PLAYER, VIEW, asked, minutes
from tests.api.plans import NOW
from tests.api.service import samples
from tests.traffic.real_servers import binary

MINE = ("streaming", "player-api")
WORKLOAD = {
    "preroll_ready_replicas": ("gauge", 1),
    "preroll_hpa_desired_replicas": ("gauge", 1),
    "preroll_due_replicas": ("gauge", 1),
    "preroll_short_replicas": ("gauge", 1),
    "preroll_delivered_on_time_ratio": ("gauge", 1),
    "preroll_delivered_minutes": ("counter", 1 + len(Reason)),
    "preroll_start_up_seconds": ("gauge", 6),
    "preroll_measured_lead_time_seconds": ("gauge", 1),
    "preroll_measured_capacity_rps": ("gauge", 1),
}
SERVICE = {
    "preroll_will_not_fit_ahead_seconds": ("gauge", 2),
    "preroll_will_not_fit_ratio": ("gauge", 2),
    "preroll_late_events": ("gauge", 1),
}
WATCHED = {
    "preroll_annotation_problems": ("gauge", 1),
    "preroll_cluster_problems": ("gauge", 1),
    "preroll_cluster_objects": ("gauge", 3),
    "preroll_cluster_age_seconds": ("gauge", 2),
}


def page(view: ClusterView = VIEW) -> str:
    answer = asked("/metrics", view)
    assert answer.status_code == 200
    return answer.text


def families(text: str) -> dict[str, tuple[str, int]]:
    """Kind and number of samples of the cluster's families, by name."""
    ours = {*WORKLOAD, *SERVICE, *WATCHED}
    found = text_string_to_metric_families(text)
    return {one.name: (one.type, len(one.samples)) for one in found if one.name in ours}


def value(text: str, metric: str, /, **labels: str) -> float:
    (found,) = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]
    return found


def test_every_family_is_there_with_what_is_known() -> None:
    assert families(page()) == WORKLOAD | SERVICE | WATCHED


def test_values_are_those_of_the_view() -> None:
    text = page()
    own = {"namespace": "streaming", "workload": "player-api"}
    wanted = {
        "preroll_ready_replicas": 28.0,
        "preroll_hpa_desired_replicas": 34.0,
        "preroll_due_replicas": 34.0,
        "preroll_delivered_on_time_ratio": 1425 / 1440,
        "preroll_measured_lead_time_seconds": 113.0,
        "preroll_measured_capacity_rps": 118.5,
    }
    for name, expected in wanted.items():
        assert value(text, name, **own) == expected
    assert value(text, "preroll_short_replicas", **own, reason="dead band") == 6.0
    took = {
        (part, quantile): value(
            text, "preroll_start_up_seconds", **own, part=part, quantile=quantile
        )
        for part in ("total", "scheduling", "starting")
        for quantile in ("0.5", "0.95")
    }
    assert took["total", "0.95"] == 95.0 and took["scheduling", "0.5"] == 1.0
    fit = {
        "limit": "quota",
        "namespace": "streaming",
        "name": "compute",
        "resource": "requests.cpu",
    }
    assert value(text, "preroll_will_not_fit_ahead_seconds", **fit) == 3 * 3600.0
    assert value(text, "preroll_will_not_fit_ratio", **fit) == 1.5
    assert samples(text, "preroll_late_events") == {(): 1.0}
    assert samples(text, "preroll_cluster_objects")["Pod",] == 50_000.0
    assert samples(text, "preroll_cluster_age_seconds") == {("Pod",): 90.5, ("ScaledObject",): 0.0}


def test_each_resource_that_is_exceeded_has_a_sample_of_its_own() -> None:
    (span,) = FIT.spans
    sooner = replace(span, start=NOW + timedelta(hours=1), wanted=70.0)
    text = page(replace(VIEW, fit=(replace(FIT, also=(Excess("pods", (sooner,), 50.0),)),)))
    one = ("quota", "compute", "streaming")  # labels by their names
    assert samples(text, "preroll_will_not_fit_ratio") == {
        (*one, "requests.cpu"): 1.5,
        (*one, "pods"): 1.4,
    }
    assert samples(text, "preroll_will_not_fit_ahead_seconds") == {
        (*one, "requests.cpu"): 3 * 3600.0,
        (*one, "pods"): 3600.0,
    }


def test_minutes_are_counted_from_0_on_so_that_a_rate_sees_the_first() -> None:
    early = ClusterWorkload(delivery=replace(DELIVERY, due=None, short=None, total=minutes(0)))
    text = page(replace(VIEW, workloads={PLAYER: early}))
    counted = samples(text, "preroll_delivered_minutes_total")
    assert {labels[1] for labels in counted} == {"on time", *Reason}
    assert set(counted.values()) == {0.0}
    grown = ClusterWorkload(delivery=replace(DELIVERY, total=minutes(7, QUOTA=2)))
    text = page(replace(VIEW, workloads={PLAYER: grown}))
    of = samples(text, "preroll_delivered_minutes_total")
    assert {labels[1]: count for labels, count in of.items() if count} == {"on time": 7, "quota": 2}


def test_what_is_not_known_has_no_sample() -> None:
    few = SeenLead(MeasuredLead(timedelta(minutes=5), "2 of 5"), StartUpSummary(2))
    unknown = ClusterWorkload(
        SeenWorkload(),
        few,
        MeasuredCapacity(None, "never loaded enough"),
        replace(DELIVERY, due=None, short=None, last_day=minutes(0)),
    )
    bare = {PLAYER: unknown, "a/b": ClusterWorkload()}
    text = page(ClusterView(True, bare, health=ClusterHealth(known={"Pod": 0})))
    counts = {name: count for name, (_, count) in families(text).items()}
    assert counts == {
        **dict.fromkeys(WORKLOAD, 0),
        "preroll_delivered_minutes": 1 + len(Reason),
        "preroll_will_not_fit_ahead_seconds": 0,
        "preroll_will_not_fit_ratio": 0,
        "preroll_late_events": 1,
        "preroll_annotation_problems": 1,
        "preroll_cluster_problems": 1,
        "preroll_cluster_objects": 1,
        "preroll_cluster_age_seconds": 0,
    }


def test_where_the_cluster_is_not_read_nothing_is_said_of_it() -> None:
    found = families(page(ClusterView(late=VIEW.late)))
    assert found.keys() == WORKLOAD.keys() | SERVICE.keys()
    assert families(asked("/metrics").text) == {}


def test_an_allowance_of_nothing_has_no_ratio() -> None:
    text = page(replace(VIEW, fit=(replace(FIT, allowed=0.0),)))
    assert samples(text, "preroll_will_not_fit_ratio") == {}
    assert len(samples(text, "preroll_will_not_fit_ahead_seconds")) == 1


def test_a_clock_behind_gives_no_negative_age() -> None:
    ahead = ClusterHealth(as_of={"Pod": NOW.timestamp() + 60})
    assert samples(page(replace(VIEW, health=ahead)), "preroll_cluster_age_seconds") == {
        ("Pod",): 0.0
    }


def test_every_family_has_one_head_and_every_sample_is_unique() -> None:
    many = {f"n{place % 7}/w{place}": VIEW.workloads[PLAYER] for place in range(50)}
    text = page(replace(VIEW, workloads=many))
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    rows = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(heads) == len(set(heads)) and len(rows) == len(set(rows))
    assert families(text)["preroll_start_up_seconds"] == ("gauge", 300)
    assert all(
        math.isfinite(float(line.rpartition(" ")[2]))
        for line in text.splitlines()
        if not line.startswith("#")
    )


@pytest.mark.prometheus
def test_promtool_finds_nothing_wrong_with_the_page() -> None:
    checked = subprocess.run(
        [binary("promtool"), "check", "metrics"],
        input=page().encode(),
        capture_output=True,
        check=False,
    )
    told = (checked.stdout + checked.stderr).decode()
    ours = {*WORKLOAD, *SERVICE, *WATCHED}
    # Its quantiles are gauges, as those of preroll_outlook_rps are: a summary has no p95 of a week.
    known = 'preroll_start_up_seconds non-summary metrics should not have "quantile" label'
    mine = [one for one in told.splitlines() if one.split(" ")[0] in ours and one != known]
    assert mine == []
    assert "error while linting" not in told and "error parsing" not in told
