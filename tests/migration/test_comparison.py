"""The last days again, under the old set-up and under Preroll."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.errors import HistoryTooShort
from forecaster.migration.comparison import (
    FORECAST_ALONE,
    compare,
    comparison_tasks,
    prepare,
    work_comparison,
)
from forecaster.migration.comparison_text import comparison_markdown, comparison_page, verdict
from forecaster.traffic.history import TrafficSeries
from tests.migration.conftest import (
    RULES,
    cpu,
    deployment,
    event,
    exporter_metric,
    external,
    hpa,
    moved,
)

START = datetime(2026, 7, 6, tzinfo=UTC)
STEP = timedelta(minutes=5)
PER_DAY = 288


def traffic(days, ups=()):
    """A peak every evening at 20:00 in Paris; ``ups`` are (day, factor) of evenings that were more.

    1,000 a second at the peak, 100 elsewhere.
    """
    rng = np.random.default_rng(5)
    hours = np.arange(days * PER_DAY) / 12 % 24
    rates = 100 + 900 * np.exp(-(((hours - 18.5) / 0.7) ** 2))
    for day, factor in ups:
        rates[day * PER_DAY : (day + 1) * PER_DAY] *= factor
    return TrafficSeries(
        "streaming/player-api", START, STEP, rates * np.exp(rng.normal(0, 0.03, len(rates)))
    )


def given(window=("20:00:00", "23:00:00", "14"), *more):
    metrics = [
        exporter_metric(),
        external("http_requests_per_second", {"deployment": "player-api"}, averageValue="70"),
    ]
    return moved(hpa(metrics=metrics, window=window), RULES, *more, timezone="Europe/Paris")


def prepared(moves, series, days=2):
    return prepare(
        moves.workloads[0],
        series,
        timedelta(days=days),
        moves.calendar,
        moves.setup.events,
        timezone="Europe/Paris",
        lead_time=timedelta(minutes=10),
    )


@pytest.fixture(scope="module")
def compared():
    moves = given()
    ready = prepared(moves, traffic(10))
    origins = [work_comparison((0, task))[1] for task in comparison_tasks(ready)]
    return compare(ready, origins)


@pytest.mark.slow
def test_everybody_runs_on_the_same_days_and_pods(compared):
    one = compared.comparison
    assert (one.start, one.series.end) == (START + timedelta(days=8), START + timedelta(days=10))
    assert one.settings.capacity_rps == pytest.approx(100.0)  # 70 at 70 %
    assert (one.settings.min_replicas, one.settings.max_replicas) == (4, 200)
    assert [replay.name for replay in compared.policies] == [
        "exporter",
        "hpa",
        "preroll",
        FORECAST_ALONE,
    ]
    assert {len(replay.ready) for replay in compared.policies} == {2 * PER_DAY}


@pytest.mark.slow
def test_the_old_set_up_has_its_window_and_preroll_has_it_too(compared):
    asked = {one.name: one.asked for one in compared.policies}
    late = round((22.5 - 2) * 12)  # 22:30 in Paris: the peak is over, the window is not
    assert asked["exporter"][late] >= 14
    assert asked["preroll"][late] >= 14
    assert asked["hpa"][late] < 14
    before = ((20 - 2) * 12) - 2  # a lead time before 20:00
    assert asked["preroll"][before] >= 14


@pytest.mark.slow
def test_preroll_foresees_what_the_hpa_runs_after(compared):
    hpa_alone, alone = compared.policy("hpa").measures, compared.policy(FORECAST_ALONE).measures
    assert alone.unserved_ratio <= hpa_alone.unserved_ratio


def test_trainings_are_one_a_day_and_know_the_events_of_the_workload():
    tasks = comparison_tasks(prepared(given(("20:00:00", "23:00:00", "14"), event()), traffic(10)))
    assert [task.cutoff.date().isoformat() for task in tasks] == [
        "2026-07-13",
        "2026-07-14",
        "2026-07-15",
    ]
    kinds = {one.kind for one in tasks[0].calendar.events}
    assert kinds == {"prescaling-window"}
    assert all(task.series.end <= START + timedelta(days=10) for task in tasks)


def test_too_little_traffic_is_refused_with_what_is_needed():
    with pytest.raises(
        HistoryTooShort, match=r"3\.0 days of traffic; 7 to compare and a day before"
    ):
        prepared(given(), traffic(3), days=7)


def test_cpu_is_as_full_as_its_target_says():
    moves = moved(hpa(metrics=[exporter_metric(), cpu(60)]), deployment(requests="500m"))
    ready = prepared(moves, traffic(4))
    assert ready.settings.capacity_rps == pytest.approx(0.5)
    assert not ready.assumed_capacity


def test_without_a_capacity_one_is_assumed_and_said():
    series = traffic(4)
    ready = prepared(moved(hpa()), series)
    assert ready.assumed_capacity
    assert ready.settings.capacity_rps * 0.7 * 200 == pytest.approx(float(series.rate_rps.max()))


@pytest.mark.slow
def test_the_text_has_every_policy_with_its_measures(compared):
    text = comparison_markdown(
        [compared], ["accounts/login: the traffic has no series of that name"]
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == [
        "the old set-up: exporter and HPA",
        "its HPA without the exporter",
        "Preroll, with the windows' and events' floors",
        "Preroll, by its forecast alone",
        "perfect foresight",
    ]
    hours = compared.policy("preroll").measures.replica_hours
    assert f"{hours:,.1f}" in rows[3]
    assert "- accounts/login: the traffic has no series of that name" in text
    assert f"with {hours:,.0f}" in verdict(compared)
    assert math.isfinite(hours)


@pytest.mark.slow
def test_the_page_asks_the_network_for_nothing(compared):
    page = comparison_page([compared])
    assert "<h1>What the old set-up ran" in page
    assert 'src="http' not in page
    assert "Preroll, forecast alone" in page
