import json
import math
import pickle
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecaster.backtest import (
    DayAhead,
    Exporter,
    Frontier,
    Hpa,
    Preroll,
    ReplaySettings,
    ReplaySpan,
    Schedule,
    SweptPoint,
    auto_capacity,
    build_frontier,
    frontier_json,
    policies_json,
    replay_oracle,
    replay_policy,
    sweep_all,
)
from forecaster.backtest.span import lead_peaks
from forecaster.backtest.sweep import crossing, sweep, sweep_alone, sweep_tasks
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history
from tests.backtest.replay_cases import at_capacity, minutes, wavy


def point(policy, unserved, slack, **setting):
    return SweptPoint(policy, setting, unserved, slack)


HPA = [
    point("hpa", 0.02, 0.01, utilisation=1.1),
    point("hpa", 0.004, 0.20, utilisation=0.9),
    point("hpa", 0.0015, 0.50, utilisation=0.7),
]
OURS = [
    point("preroll", 0.006, 0.04, quantile=0.9, utilisation=2.0),
    point("preroll", 0.003, 0.10, quantile=0.95, utilisation=2.0),
    point("preroll", 0.0031, 0.10, quantile=0.94, utilisation=2.0),
]


def test_the_least_slack_among_the_settings_that_reached_the_target_wins():
    rows = build_frontier([*HPA, *OURS], (0.01, 0.005, 0.002, 0.001)).rows
    assert [row.slack("hpa") for row in rows] == [0.20, 0.20, 0.50, None]
    assert [row.slack("preroll") for row in rows] == [0.04, 0.10, 0.50, None]
    assert rows[1].best["preroll"].setting["quantile"] == 0.95, "of equal slack the fewer unserved"
    assert [row.ratio_to_hpa() for row in rows] == [pytest.approx(0.2), 0.5, 1.0, None]


def test_a_floor_that_is_switched_off_is_the_hpa_alone():
    rows = build_frontier([*HPA, *OURS], (0.002,)).rows
    assert rows[0].best["preroll"] == point("preroll", 0.0015, 0.5, quantile=None, utilisation=0.7)


def test_a_policy_that_was_not_tried_has_no_slack():
    (row,) = build_frontier(HPA, (0.01,)).rows
    assert row.slack("preroll") is None
    assert row.ratio_to_hpa() is None


def test_both_are_taken_to_have_half_a_percent_of_slack_at_least():
    lean = [point("hpa", 0.001, -0.02, utilisation=1.0), point("preroll", 0.001, -0.03, quantile=1)]
    frontier = build_frontier(lean, (0.01,))
    assert frontier.mean_ratio_to_hpa() == 1.0
    assert frontier.rows[0].ratio_to_hpa() == 1.0, "as the mean takes it"
    assert frontier_json(frontier)[0]["ratio_to_hpa"] == 1.0


def test_the_mean_ratio_is_geometric_over_what_the_hpa_reaches():
    frontier = build_frontier([*HPA, *OURS], (0.01, 0.005, 0.002, 0.001))
    assert frontier.mean_ratio_to_hpa() == pytest.approx((0.2 * 0.5 * 1.0) ** (1 / 3))
    assert frontier.mean_ratio_to_hpa("schedule") == pytest.approx(1.5), "never reached"
    assert build_frontier([HPA[0]], (0.01, 0.002)).mean_ratio_to_hpa() is None


def test_the_json_has_a_row_for_each_target_and_no_nan():
    odd = point("preroll", 0.003, math.nan, quantile=0.5, utilisation=2.0)
    rows = frontier_json(build_frontier([*HPA, *OURS, odd], (0.01, 0.001)))
    assert json.loads(json.dumps(rows, allow_nan=False)) == [
        {
            "unserved_ratio": 0.01,
            "hpa": 0.2,
            "preroll": 0.04,
            "ratio_to_hpa": 0.2,
            "settings": {
                "hpa": {"utilisation": 0.9},
                "preroll": {"quantile": 0.9, "utilisation": 2.0},
            },
        },
        {
            "unserved_ratio": 0.001,
            "hpa": None,
            "preroll": None,
            "ratio_to_hpa": None,
            "settings": {},
        },
    ]


def test_the_json_of_a_replay_has_its_measures_and_a_cost_where_there_is_a_price():
    span = minutes(10.0, 20.0, 30.0)
    for price, more in ((None, set()), (0.1, {"cost"})):
        settings = at_capacity(price_per_replica_hour=price)
        replays = [replay_oracle(span, settings), replay_policy(span, Hpa(), settings)]
        told = json.loads(json.dumps(policies_json(replays), allow_nan=False))
        assert list(told) == ["oracle", "hpa"]
        assert set(told["hpa"]) == more | {
            "unserved_ratio",
            "underprovisioned_seconds",
            "longest_shortage_seconds",
            "slack_ratio",
            "replica_hours",
            "paid_replica_hours",
            "scaling_actions",
            "setting",
        }
        assert told["oracle"]["slack_ratio"] == 0
        assert told["hpa"]["setting"] == {"utilisation": 0.7}


@pytest.fixture(scope="module")
def span() -> ReplaySpan:
    """Three days of the bundled trace, five minutes a step."""
    series = sample_history().series[0]
    rates = series.rate_rps[: len(series) // 5 * 5].reshape(-1, 5).mean(axis=1)
    coarse = TrafficSeries("web", series.start, timedelta(minutes=5), rates)
    return ReplaySpan(coarse, coarse.end - timedelta(days=3))


@pytest.fixture(scope="module")
def settings(span) -> ReplaySettings:
    return ReplaySettings(auto_capacity(span), tolerance_ratio=0.0)


def floors(span, settings):
    """Preroll with an imperfect forecast at three quantiles, and every other floor."""
    peaks = lead_peaks(span.rate_rps, settings.lead_steps(span.series.step))
    noise = np.exp(np.random.default_rng(1).normal(0, 0.05, len(span)))
    naive = span.series.rate_rps[span.first - 288 : -288]
    return [
        Schedule(),
        Exporter(),
        DayAhead("outlook", naive),
        *(Preroll(q, peaks * noise * by) for q, by in ((0.5, 1.0), (0.9, 1.07), (0.98, 1.11))),
    ]


@pytest.mark.slow
def test_the_hpa_alone_is_at_its_best(span, settings):
    frontier = build_frontier(sweep_alone(span, settings))
    fine = []
    for utilisation in np.geomspace(0.15, 1.2, 400).tolist():
        measures = replay_policy(span, Hpa(utilisation), settings).measures
        fine.append((measures.unserved_ratio, measures.slack_ratio))
    for row in frontier.rows:
        best = min(slack for unserved, slack in fine if unserved <= row.unserved_ratio)
        assert row.slack("hpa") == pytest.approx(best, abs=0.01)


def test_every_point_is_what_a_replay_gives(span, settings):
    alone = sweep_alone(span, settings)
    points = [*alone]
    for task in sweep_tasks(span, floors(span, settings), settings, alone):
        points.extend(line := sweep(task))
        last = line[-1]
        again = replay_policy(
            span, replace(task.policy, utilisation=last.setting["utilisation"]), settings
        )
        assert last.setting == again.setting
        assert last.unserved_ratio == again.measures.unserved_ratio
        assert last.slack_ratio == again.measures.slack_ratio
    assert {one.policy for one in points} == {"hpa", "schedule", "exporter", "outlook", "preroll"}


@pytest.mark.slow
def test_looking_only_at_what_can_win_changes_no_winner(span, settings):
    alone = sweep_alone(span, settings)
    peaks = lead_peaks(span.rate_rps, settings.lead_steps(span.series.step))
    weak = [Preroll(0.5, peaks * by) for by in np.linspace(0.7, 0.95, 6).tolist()]
    tasks = sweep_tasks(span, [*floors(span, settings), *weak], settings, alone)
    short = [one for task in tasks for one in sweep(task)]
    long = [one for task in tasks for one in sweep(replace(task, bounds=()))]
    assert len(short) < len(long)
    some, every = build_frontier([*alone, *short]), build_frontier([*alone, *long])
    assert [row.best for row in some.rows] == [row.best for row in every.rows]
    beneath = [row.best["preroll"].setting["utilisation"] for row in every.rows]
    assert len(set(beneath)) > 1, beneath
    assert some.mean_ratio_to_hpa() < 1


@pytest.mark.parametrize(
    ("target", "bound", "between"),
    [
        (0.005, math.inf, math.sqrt(1.1 * 0.9)),
        (0.005, 0.011, math.sqrt(1.1 * 0.9)),
        (0.005, 0.01, None),  # what lies between has more slack than the upper one
        (0.002, 0.201, math.sqrt(0.9 * 0.7)),
        (0.002, 0.2, None),
        (0.03, math.inf, None),  # reached from the start
        (0.001, math.inf, None),  # never reached
    ],
)
def test_a_crossing_is_halved_unless_it_can_beat_nobody(target, bound, between):
    points = {one.setting["utilisation"]: one for one in HPA}
    assert crossing(points, target, bound) == between


def test_lines_are_the_same_in_other_processes(span, settings):
    chosen = [floors(span, settings)[0], floors(span, settings)[-1]]
    seen = []
    here = build_frontier(sweep_all(span, chosen, settings, (0.005,)))
    there = build_frontier(
        sweep_all(span, chosen, settings, (0.005,), jobs=2, progress=lambda *at: seen.append(at))
    )
    assert same(here, there)
    lines = 1 + len(Schedule().variants()) + 1  # the HPA, each schedule and a quantile
    assert seen == [(done, lines) for done in range(1, lines + 1)]


def same(one: Frontier, other: Frontier) -> bool:
    return one.rows == other.rows and one.points == other.points


def test_a_line_can_be_handed_to_a_process():
    span = wavy(3, 1, timedelta(minutes=15))
    settings = at_capacity()
    for task in sweep_tasks(span, [Schedule(), Exporter()], settings, sweep_alone(span, settings)):
        assert sweep(pickle.loads(pickle.dumps(task))) == sweep(task)


def test_a_target_out_of_range_is_refused():
    with pytest.raises(ValueError, match="not 1"):
        sweep_alone(minutes(1.0), at_capacity(), (0.01, 1))


def test_an_hpa_that_never_reaches_a_target_is_not_reached():
    span = minutes(10.0, *[10.0, 9000.0, 9000.0] * 5)
    frontier = build_frontier(sweep_alone(span, at_capacity(lead_time=timedelta(minutes=30))))
    assert [row.slack("hpa") for row in frontier.rows] == [None] * 4
    assert frontier.mean_ratio_to_hpa() is None
