import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from rich.console import Console

from forecaster.backtest import (
    InputUnit,
    ReplaySettings,
    RollingOrigin,
    SweptPoint,
    auto_capacity,
    build_frontier,
    hold_out,
)
from forecaster.backtest.matched import match
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_tasks import DayAheadAsked, peak_tasks
from forecaster.backtest.pooled import pooled_frontier, pooled_measures
from forecaster.backtest.proof import ProofSettings
from forecaster.backtest.proof_assembly import assemble
from forecaster.backtest.proof_json import proof_decision_rows, proof_json
from forecaster.backtest.proof_parts import hold_out_parts
from forecaster.backtest.proof_run import Findings, ProofPlan, find
from forecaster.backtest.rivals import prophet_installed
from forecaster.cli.proof_view import proof_report
from forecaster.errors import HistoryTooShort
from forecaster.events import Calendar, Event, Selector
from forecaster.models.peak.model import Taught
from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history
from tests.backtest.proof_cases import make_proof, make_series_proof

MINUTES = timedelta(minutes=5)
DAY = timedelta(days=1)
GAP = slice(-200, -170)  # within the second day of the test
QUIET = ProofSettings(policies=(), levels=(0.5, 0.9, 0.98))
BUSY = replace(QUIET, policies=("oracle", "hpa", "preroll"), frontier=True)
FOUND = tuple[ProofPlan, Findings]


@pytest.fixture(scope="module")
def six_days() -> TrafficSeries:
    """The last six days of the bundled trace at five minutes, with a gap in the last one."""
    minutes = sample_history("web")["web"]
    rates = minutes.rate_rps[-6 * 1440 :].reshape(-1, 5).mean(axis=1)
    rates[GAP] = np.nan
    return TrafficSeries("web", minutes.end - 6 * DAY, MINUTES, rates)


def prove(series, asked, test=2 * DAY, jobs=1, progress=None, **plan) -> FOUND:
    listed = [series] if isinstance(series, TrafficSeries) else series
    parts, left_out = hold_out_parts(listed, test, 1)
    made, findings = ProofPlan(asked, parts, left_out, **plan), Findings()
    find(made, findings, jobs, progress)
    return made, findings


@pytest.fixture(scope="module")
def quiet(six_days) -> FOUND:
    return prove(six_days, QUIET)


@pytest.fixture(scope="module")
def busy(six_days) -> FOUND:
    """With the frontier, from two series; the second has half the traffic and no test."""
    other = TrafficSeries("api", six_days.start, MINUTES, six_days.rate_rps[::-1] / 2)
    return prove([six_days, other], BUSY)


@pytest.mark.slow
def test_declared_floors_are_prerolls_in_the_replay_the_frontier_and_the_headline(six_days):
    """Of the workload's own events alone; what they cost shows."""
    begins = six_days.end - DAY + timedelta(hours=6)
    mine = Event(begins, begins + 6 * MINUTES, "final", floor_replicas=70, name="mine")
    others = replace(mine, name="theirs", selector=Selector(workloads=("tv/api",)))
    web = TrafficSeries("tv/web", six_days.start, MINUTES, six_days.rate_rps)
    asked = replace(QUIET, policies=("hpa", "preroll"), frontier=True)
    plain, raised = (
        assemble(*prove(web, replace(asked, calendar=Calendar(events)))).series["tv/web"]
        for events in ((others,), (others, mine))
    )
    assert (plain.events, raised.events) == ((), (mine,))
    row = (begins - raised.span.at(0.0)) // MINUTES
    assert raised.replays["preroll"].asked[row - 1 : row + 6].min() > 66  # 15 s pass before
    assert plain.replays["preroll"].asked[row - 1 : row + 6].max() < 55
    assert raised.replays["hpa"].asked.tolist() == plain.replays["hpa"].asked.tolist()
    slack = [
        next(row for row in one.frontier.rows if row.unserved_ratio == 0.01).best["preroll"]
        for one in (plain, raised)
    ]
    assert slack[1].slack_ratio > slack[0].slack_ratio + 0.002
    matched = match(raised)
    assert matched.own.setting.get("quantile") is not None
    assert matched.ours.measures.slack_ratio == pytest.approx(matched.own.slack_ratio)


def test_a_calendar_flatters_and_the_proof_says_so(six_days, quiet):
    plan, findings = quiet
    event = Event(six_days.end - DAY, six_days.end, "final")
    known = replace(plan, asked=replace(plan.asked, calendar=Calendar((event,))))
    assert [one for one in assemble(known, findings).notices if "hindsight flatters" in one]
    assert not [one for one in assemble(plan, findings).notices if "hindsight" in one]


def flat(name, steps, rate=5.0, step=MINUTES):
    return TrafficSeries(name, datetime(2026, 3, 2, tzinfo=UTC), step, np.full(steps, rate))


def rows_of(found, unit=InputUnit()):
    return list(proof_decision_rows(assemble(*found, unit)))


def test_the_test_is_the_last_14_days_or_half():
    step = timedelta(hours=1)
    lengths = {}
    for days in (40, 20, 2):
        (part,), _ = hold_out_parts([flat("web", days * 24, step=step)], None, 1)
        lengths[days] = part.steps * step / DAY
        assert part.holdout.cutoffs[0] == part.start
    assert lengths == {40: 14, 20: 10, 2: 1}


def test_half_of_a_short_series_is_tested_and_the_outlook_is_not():
    (part,), left_out = hold_out_parts([flat("web", 97)], None, 1)
    assert part.steps == 48
    assert part.notice == "web: 8h5m of traffic; the last 4h are the test, not 14d"
    assert part.holdout is None
    assert "a backtest needs 2d" in part.why_not
    assert left_out == {}


def test_a_series_without_traffic_or_too_short_is_left_out_with_the_reason():
    gaps = TrafficSeries("gaps", flat("x", 1).start, MINUTES, np.full(500, np.nan))
    parts, left_out = hold_out_parts([flat("web", 100), gaps, flat("tiny", 3)], None, 1)
    assert [part.series.series_id for part in parts] == ["web"]
    assert left_out["gaps"] == "no traffic was observed"
    assert left_out["tiny"].startswith("15m of traffic; 20m are needed")


def test_where_nothing_can_be_tested_the_reason_is_raised():
    with pytest.raises(HistoryTooShort, match=r"tiny: 15m of traffic; 20m are needed[^(]*$"):
        hold_out_parts([flat("tiny", 3)], None, 1)
    with pytest.raises(HistoryTooShort, match="and 1 more series"):
        hold_out_parts([flat("tiny", 3), flat("tinier", 2)], None, 1)


@pytest.mark.parametrize(
    ("steps", "test", "possible"),
    [(3 * 288, 3 * DAY, "2d"), (100, timedelta(hours=9), "8h10m")],
    ids=["a day is left", "a lead window is left"],
)
def test_a_test_that_leaves_nothing_to_learn_from_is_refused(steps, test, possible):
    with pytest.raises(HistoryTooShort, match=f"a test of at most {possible} is possible"):
        hold_out_parts([flat("web", steps)], test, 1)


def test_a_long_test_leaves_less_than_a_day_to_the_lead_peak_and_no_outlook():
    (part,), _ = hold_out_parts([flat("web", 3 * 288)], timedelta(days=2.5), 1)
    assert part.steps == 2.5 * 288
    assert part.holdout is None


def test_one_training_gives_the_outlooks_forecast_too(six_days):
    """Beside it: the same outlook, trained for nothing else."""
    task = peak_tasks(six_days, six_days.end - DAY, 1, (0.98,))[0]
    asked = DayAheadAsked(steps=288, quantiles=(0.1, 0.9))
    told = work_origin(replace(task, day_ahead=asked)).day_ahead
    known = six_days.before(task.cutoff)
    config = OutlookConfig(quantiles=(0.1, 0.5, 0.9, 0.98), horizon=timedelta(hours=28))
    alone = train_outlook(known, task.cutoff, config).outlook
    assert told.quantiles == (0.1, 0.5, 0.9)
    for quantile in told.quantiles:
        assert told.at(quantile) == pytest.approx(alone.at(quantile)[:288], rel=1e-9)


def test_the_outlook_stands_in_at_its_own_limit_for_rarer_quantiles(six_days):
    levels = (0.0002, 0.001, 0.999, 0.9998)
    told = work_origin(peak_tasks(six_days, six_days.end - DAY, 1, levels)[0])
    assert told.fallback_rps[0].tolist() == told.fallback_rps[1].tolist()
    assert told.fallback_rps[2].tolist() == told.fallback_rps[3].tolist()
    assert (told.fallback_rps[1] < told.fallback_rps[2]).any()


def test_every_step_has_a_decision_at_every_quantile_gaps_included(six_days, quiet):
    header, *rows = rows_of(quiet)
    assert header == ("timestamp", "quantile", "lead_peak", "replicas")
    stamps = [
        (six_days.end - 2 * DAY + n * MINUTES).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(576)
    ]
    assert sorted(row[:2] for row in rows) == sorted(
        (stamp, quantile) for stamp in stamps for quantile in ("0.5", "0.9", "0.98")
    )
    assert all(math.isfinite(float(row[2])) for row in rows)
    in_gap = set(stamps[GAP])
    assert len([row for row in rows if row[0] in in_gap]) == 3 * 30


def test_the_scores_follow_from_the_rows_and_the_traffic(six_days, quiet):
    """An independent reading in plain loops, in requests per step."""
    unit = InputUnit("requests", 300.0)
    peaks = {}
    for n in range(len(six_days) - 1):
        first, second = six_days.rate_rps[n : n + 2] * 300
        if first >= 0 and second >= 0:  # neither is a gap
            stamp = (six_days.start + n * MINUTES).strftime("%Y-%m-%dT%H:%M:%SZ")
            peaks[stamp] = max(first, second)
    hits, losses = {}, []
    for stamp, quantile, told, _ in rows_of(quiet, unit)[1:]:
        y, f, q = peaks.get(stamp, math.nan), float(told), float(quantile)
        if not math.isnan(y):
            hits.setdefault(q, []).append(y <= f)
            losses.append(q * (y - f) if y >= f else (1 - q) * (f - y))
    document = proof_json(assemble(*quiet, unit), 1.0)
    said = document["lead_peak"]
    assert said["windows"] == len(hits[0.5]) == 576 - 1 - 30 - 1
    assert said["pinball"] == pytest.approx(np.mean(losses), rel=1e-5)
    for quantile, share in said["coverage"].items():
        assert share == pytest.approx(np.mean(hits[float(quantile)]), abs=1e-9)


def test_replicas_are_the_lead_peak_over_capacity_rounded_up(six_days, quiet):
    capacity = float(np.nanmax(six_days.rate_rps[-576:])) / 100
    for _, _, told, replicas in rows_of(quiet)[1:]:
        assert replicas == max(1, math.ceil(float(told) / capacity - 1e-4))


@pytest.mark.parametrize("turn", [-288, -100], ids=["at a training", "between two"])
def test_changing_the_future_changes_no_earlier_decision(six_days, turn):
    asked = replace(QUIET, capacity_rps=10.0)
    rates = six_days.rate_rps.copy()
    rates[turn:] = rates[turn:][::-1] * 7 + 3
    other = TrafficSeries("web", six_days.start, MINUTES, rates)
    ours, theirs = (rows_of(prove(one, asked)) for one in (six_days, other))
    changed = (six_days.end + turn * MINUTES).strftime("%Y-%m-%dT%H:%M:%SZ")
    early, late = (
        [(a, b) for a, b in zip(ours, theirs, strict=True) if (a[0] > changed) is after]
        for after in (False, True)
    )
    assert len(early) == 3 * (576 + turn + 1)  # the decision at the change knows nothing of it
    assert all(a == b for a, b in early if a[0] != "timestamp")
    assert sum(a != b for a, b in late) > len(late) / 2


def test_no_rival_runs_where_none_is_asked_for(quiet):
    plan, findings = quiet
    assert findings.replays == {}
    assert findings.points == {}
    assert assemble(plan, findings).series["web"].frontier is None


def test_progress_grows_to_its_total(six_days):
    told = []
    prove(six_days, replace(BUSY, frontier=False), progress=lambda *part: told.append(part))
    assert {total for _, total in told} == {told[0][1]}
    done = [part for part, _ in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(told[0][1])


def test_the_frontier_has_every_target_and_no_floor_is_worse_than_none(busy):
    one = assemble(*busy).series["web"]
    assert [row.unserved_ratio for row in one.frontier.rows] == [0.01, 0.005, 0.002, 0.001]
    assert set(one.frontier.rows[0].best) == {"hpa", "preroll"}
    quantiles = {point.setting.get("quantile") for point in one.frontier.points}
    assert {0.3, 0.98} <= quantiles
    for row in one.frontier.rows:
        if row.slack("hpa") is not None:
            assert row.slack("preroll") <= row.slack("hpa")


def test_the_capacity_is_each_series_own_where_it_is_not_given(busy):
    proof = assemble(*busy)
    for one in proof.series.values():
        assert one.settings.capacity_rps == auto_capacity(one.span)
        assert one.settings.oracle_replicas(one.span).max() == 100
    given = replace(BUSY, capacity_rps=3.5, price_per_replica_hour=2.0)
    same = assemble(replace(busy[0], asked=given), busy[1])
    assert {one.settings.capacity_rps for one in same.series.values()} == {3.5}


def test_pooled_measures_are_those_of_all_traffic_and_all_hours(busy):
    proof = assemble(*busy)
    lost = traffic = hours = oracle = 0.0
    for one in proof.series.values():
        seen = float(np.nansum(one.span.rate_rps)) * 300
        lost += one.replays["hpa"].measures.unserved_ratio * seen
        traffic += seen
        hours += one.replays["hpa"].measures.replica_hours
        oracle += one.replays["oracle"].measures.replica_hours
    pooled = pooled_measures(proof)["hpa"]
    assert pooled.series == 2
    assert pooled.measures.unserved_ratio == pytest.approx(lost / traffic)
    assert pooled.measures.slack_ratio == pytest.approx(hours / oracle - 1)
    assert pooled_measures(proof)["oracle"].measures.slack_ratio == 0


def test_a_pooled_frontier_adds_up_each_series_best(busy):
    proof = assemble(*busy)
    for index, row in enumerate(pooled_frontier(proof)):
        ours = [one.frontier.rows[index] for one in proof.series.values()]
        hours = [one.replays["oracle"].measures.replica_hours for one in proof.series.values()]
        reached = [(o.slack("hpa"), h) for o, h in zip(ours, hours, strict=True)]
        kept = [(slack, weight) for slack, weight in reached if slack is not None]
        assert row.series == len(kept)
        if kept:
            expected = sum(s * w for s, w in kept) / sum(w for _, w in kept)
            assert row.slack["hpa"] == pytest.approx(expected)


def test_a_policy_that_was_silent_for_one_series_was_not_tried_there():
    def with_rows(name, *rivals):
        setting = {"utilisation": 0.7}
        points = [SweptPoint(one, setting, 0.001, 0.1) for one in ("hpa", "preroll", *rivals)]
        one = make_series_proof(name, frontier=False)
        return replace(one, frontier=build_frontier(points))

    proof = make_proof(with_rows("a", "prophet"), with_rows("b"))
    row = pooled_frontier(proof)[-2]
    assert row.slack["prophet"] is None
    assert row.not_tried == {"prophet": 1}
    assert row.slack["hpa"] == pytest.approx(0.1)
    assert proof_json(proof, 1.0)["frontier"][-2]["not_tried"] == {"prophet": 1}
    console = Console(width=200)
    with console.capture() as shown:
        console.print(proof_report(proof))
    assert "not tried on 1" in shown.get()


def test_the_json_has_what_is_said_of_all_and_of_each(busy):
    document = proof_json(assemble(*busy), 1.0)
    assert list(document["lead_peak"]["coverage"]) == ["0.5", "0.9", "0.98"]
    assert {"pinball", "live_ratio", "windows", "taught"} <= set(document["lead_peak"])
    assert document["settings"]["lead_time_seconds"] == 300
    assert document["settings"]["lead_steps"] == 1
    assert list(document["policies"]) == ["oracle", "hpa", "preroll"]
    needed = {"unserved_ratio", "underprovisioned_seconds", "slack_ratio", "replica_hours"}
    for place in (document, *document["series"].values()):
        assert {"coverage", "pinball"} <= set(place["lead_peak"])
        assert all(needed <= set(one) for one in place["policies"].values())
        assert [row["unserved_ratio"] for row in place["frontier"]] == [0.01, 0.005, 0.002, 0.001]
        assert all({"hpa", "preroll", "ratio_to_hpa"} <= set(row) for row in place["frontier"])


def test_what_was_stopped_is_shown_as_far_as_origins_follow_each_other(quiet):
    plan, findings = quiet
    first, second = sorted(findings.origins["web"], key=lambda one: one.cutoff)
    stopped = Findings(origins={"web": [first]})
    assert assemble(plan, stopped).series["web"].decisions.peak_rps.shape == (3, 288)
    with pytest.raises(HistoryTooShort):
        assemble(plan, Findings(origins={"web": [second]}))


def test_short_series_are_told_by_the_fleets_model():
    rng = np.random.default_rng(3)
    fleet = [
        replace(flat(name, 300), rate_rps=rng.gamma(2.0, 5.0 * n, 300))
        for n, name in enumerate("abcd", start=1)
    ]
    proof = assemble(*prove(fleet, QUIET, test=timedelta(hours=10)))
    for one in proof.series.values():
        assert one.decisions.taught == (Taught.FLEET,)
        assert one.decisions.live.all()
    assert proof.day_ahead is None
    assert any(text.startswith("4 series: no outlook") for text in proof.notices)


def test_without_traffic_in_the_test_the_traffic_before_it_sets_the_capacity(six_days):
    rates = six_days.rate_rps.copy()
    rates[-576:] = 0.0
    silent = TrafficSeries("web", six_days.start, MINUTES, rates)
    proof = assemble(*prove(silent, replace(QUIET, policies=("hpa",))))
    one = proof.series["web"]
    assert one.settings.capacity_rps == pytest.approx(np.nanmax(rates) / 100)
    assert one.replays["hpa"].measures.unserved_ratio == 0
    assert any("no traffic was seen in the test" in text for text in proof.notices)


def test_a_test_that_is_one_gap_is_decided_and_not_replayed(six_days):
    rates = six_days.rate_rps.copy()
    rates[-576:] = np.nan
    gap = TrafficSeries("web", six_days.start, MINUTES, rates)
    proof = assemble(*prove(gap, replace(BUSY, frontier=False)))
    assert proof.series["web"].span is None
    assert proof.series["web"].replays == {}
    assert np.isfinite(proof.series["web"].decisions.peak_rps).all()
    assert proof_json(proof, 1.0)["lead_peak"]["coverage"]["0.98"] is None


@pytest.mark.skipif(prophet_installed(), reason="prophet is installed")
def test_without_prophet_it_is_left_out_and_that_is_said(six_days):
    proof = assemble(*prove(six_days, replace(QUIET, policies=("hpa", "prophet"))))
    assert list(proof.series["web"].replays) == ["hpa"]
    assert any("prophet is left out: prophet is not installed" in text for text in proof.notices)


def test_the_outlook_is_scored_from_the_same_origins(six_days):
    plan, findings = prove(six_days, QUIET, quantiles=(0.1, 0.9))
    report = assemble(plan, findings).day_ahead
    assert report.outlook.origins == 2
    assert list(report.outlook.coverage) == [0.1, 0.9]
    assert report.outlook.observed_steps == 576 - 30
    expected = hold_out(six_days, RollingOrigin(2 * DAY)).cutoffs
    assert tuple(one.cutoff for one in report.series["web"].origins) == expected


def test_the_replay_is_at_the_settings_asked_for(six_days):
    asked = replace(QUIET, policies=("hpa",), min_replicas=7, max_replicas=60, tolerance_ratio=0.0)
    one = assemble(*prove(six_days, asked)).series["web"]
    capacity = auto_capacity(one.span)
    assert one.settings == ReplaySettings(
        capacity, min_replicas=7, max_replicas=60, tolerance_ratio=0.0
    )
    assert one.replays["hpa"].asked.min() >= 7
    assert one.replays["hpa"].asked.max() == 60
