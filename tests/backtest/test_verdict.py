"""The verdict claims what was reached, and says plainly where Preroll is worse."""

from dataclasses import replace

import pytest

from forecaster.backtest import SweptPoint, build_frontier
from forecaster.backtest import verdict as verdict_module
from forecaster.backtest.matched import match, matched_points
from forecaster.backtest.proof_json import proof_json
from forecaster.backtest.verdict import Outcome, _weighed, give_verdict, verdict
from forecaster.plots import proof_page
from tests.backtest.proof_cases import make_proof, make_series_proof


def hpa(unserved, slack):
    return SweptPoint("hpa", {"utilisation": 0.8}, unserved, slack)


def preroll(unserved, slack):
    setting = {"quantile": 0.9, "utilisation": 1.0, "hold_down_seconds": 0.0}
    return SweptPoint("preroll", setting, unserved, slack)


@pytest.fixture(scope="module")
def swept():
    return make_series_proof()


@pytest.fixture(scope="module")
def replayed(swept):
    return replace(swept, frontier=None)


def with_points(one, *points):
    return replace(one, frontier=build_frontier(points))


def test_a_saving_is_told_at_half_a_percent_with_both_slacks(swept):
    said = give_verdict(with_points(swept, hpa(0.004, 0.20), preroll(0.003, 0.08)))
    assert said.outcome is Outcome.BETTER
    assert said.target == 0.005
    assert said.headline == (
        "At 0.5 % unserved traffic Preroll runs 60 % fewer idle replica-hours than an HPA at its "
        "best setting (8 % idle instead of 20 %)"
    )
    assert said.remarks == ()


def test_slack_below_half_a_percent_is_taken_as_half_a_percent(swept):
    said = give_verdict(with_points(swept, hpa(0.004, 0.01), preroll(0.003, 0.002)))
    assert "50 % fewer idle" in said.headline
    level = give_verdict(with_points(swept, hpa(0.004, 0.002), preroll(0.003, 0.001)))
    assert level.outcome is Outcome.LEVEL


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome", "words"),
    [
        (-0.02, 0.01, Outcome.BETTER, "Preroll has no idle replica-hours, an HPA at its best"),
        (-0.02, -0.01, Outcome.LEVEL, "(both with no idle replica-hours)"),
        (0.02, -0.01, Outcome.WORSE, "(2 % idle instead of none)"),
        (-0.02, 0.004, Outcome.LEVEL, "(no idle replica-hours instead of 0.4 %)"),
    ],
)
def test_slack_of_nothing_is_said_in_words(swept, ours, theirs, outcome, words):
    # one that left too much unserved for this target, or the HPA alone were no worse
    said = give_verdict(with_points(swept, hpa(0.004, theirs), preroll(0.003, ours)))
    if outcome is Outcome.WORSE:  # which a frontier's own envelope never has
        said_outcome, headline = _weighed(0.005, ours, theirs)
    else:
        said_outcome, headline = said.outcome, said.headline
    assert said_outcome is outcome
    assert words in headline
    assert "−" not in said.headline + headline


def test_replays_without_slack_are_said_in_words(replayed):
    pair = {
        name: replace(one, measures=replace(one.measures, slack_ratio=-0.01))
        for name, one in replayed.replays.items()
    }
    said = give_verdict(replace(replayed, replays=pair)).text
    assert said.count("of traffic unserved with no idle replica-hours") == 2
    assert "−" not in said


def test_a_verdict_is_made_once_for_all_that_is_written(swept, monkeypatch):
    made = []
    monkeypatch.setattr(verdict_module, "match", lambda one: made.append(one) or match(one))
    proof = make_proof(replace(swept))
    verdict(proof)
    proof_json(proof, 1.0)
    proof_page(proof, title="Backtest")
    assert len(made) == 1
    verdict(make_proof(replace(swept)))
    assert len(made) == 2, "another value has a verdict of its own"


def test_where_no_quantile_helps_it_says_so_and_names_no_days(swept):
    said = give_verdict(with_points(swept, hpa(0.004, 0.05), preroll(0.003, 0.08)))
    assert said.outcome is Outcome.LEVEL
    assert "Preroll is no better than an HPA at its best setting (5 % idle)" in said.headline
    assert (said.about_days, said.days, said.ours) == ("", (), None)


@pytest.mark.parametrize(
    ("points", "target", "remark"),
    [
        ([hpa(0.009, 0.1), preroll(0.008, 0.05), preroll(0.004, 0.3)], 0.01, "Only Preroll"),
        ([hpa(0.009, 0.1), preroll(0.008, 0.05)], 0.01, "Neither reached"),
    ],
    ids=["preroll alone", "nobody"],
)
def test_what_was_not_reached_at_half_a_percent_is_said(swept, points, target, remark):
    said = give_verdict(with_points(swept, *points))
    assert said.target == target
    assert said.headline.startswith("At 1 % unserved traffic Preroll runs 50 % fewer")
    assert len(said.remarks) == 1
    assert said.remarks[0].startswith(remark)


def test_the_nearest_common_target_is_the_nearest_by_ratio():
    points = [hpa(0.0015, 0.1), preroll(0.0015, 0.05)]
    rows = build_frontier(points, (0.01, 0.002, 0.001))
    target, own, other = matched_points(rows)
    assert target == 0.01, "twice 0.5 % is nearer than 0.2 %"
    assert (own.policy, other.policy) == ("preroll", "hpa")
    assert matched_points(build_frontier([hpa(0.5, 0.1), preroll(0.5, 0.1)])) is None


def test_the_matched_replays_are_the_frontiers_own_points(swept):
    found = match(swept)
    assert found.own.setting["quantile"] is not None, "the trace is made for foresight to win"
    for point, replay in ((found.own, found.ours), (found.other, found.theirs)):
        assert replay.measures.unserved_ratio == point.unserved_ratio <= found.target
        assert replay.measures.slack_ratio == point.slack_ratio


def test_days_on_which_preroll_was_worse_are_named(swept):
    quantiles = swept.decisions.peak_rps.copy()
    quantiles[:, 288:576] *= 0.3  # it misses the second of three evenings
    blind = replace(swept, decisions=replace(swept.decisions, peak_rps=quantiles))
    said = give_verdict(with_points(blind, hpa(0.004, 0.20), preroll(0.003, 0.08)))
    (day,) = [one for one in said.days if one.worse]
    assert day.day.day == 4
    assert said.about_days.startswith(
        "it left more unserved than the HPA on 1 of 3 days: Thu 4 Jun"
    )


def test_without_a_frontier_each_is_told_as_it_ran_and_that_this_is_no_fair_comparison(replayed):
    said = give_verdict(replayed)
    assert said.target is None
    assert (said.ours.name, said.theirs.name) == ("preroll", "hpa")
    assert said.headline.startswith("Preroll (0.98 quantile, HPA beneath at 100 %) left ")
    assert "a frontier compares both at equal unserved traffic" in said.text


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome", "words"),
    [
        ((0.001, 0.1), (0.002, 0.2), Outcome.BETTER, "less unserved and fewer idle"),
        ((0.002, 0.2), (0.001, 0.1), Outcome.WORSE, "Preroll is worse in both"),
        ((0.001, 0.2), (0.002, 0.1), Outcome.MIXED, "less unserved for more idle"),
        ((0.002, 0.1), (0.001, 0.2), Outcome.MIXED, "fewer idle replica-hours for more unserved"),
        ((0.001, 0.2), (0.001, 0.1), Outcome.WORSE, "for no less unserved"),
        ((0.001, 0.1), (0.001, 0.1), Outcome.LEVEL, "no difference"),
    ],
    ids=["better", "worse", "dearer", "cheaper", "dearer for nothing", "level"],
)
def test_two_replays_are_weighed_by_both_measures(replayed, ours, theirs, outcome, words):
    def with_measures(name, unserved, slack):
        one = replayed.replays[name]
        came_to = replace(one.measures, unserved_ratio=unserved, slack_ratio=slack)
        return replace(one, measures=came_to)

    pair = {"preroll": with_measures("preroll", *ours), "hpa": with_measures("hpa", *theirs)}
    said = give_verdict(replace(replayed, replays=pair))
    assert said.outcome is outcome
    assert words in said.headline


def test_without_replays_only_the_coverage_is_told(replayed):
    said = give_verdict(replace(replayed, replays={}))
    assert said.outcome is Outcome.UNKNOWN
    share = replayed.scores.coverage[0.98]
    assert f"0.98 quantile in {share * 100:.1f}".rstrip("0").rstrip(".") in said.text
    alone = give_verdict(replace(replayed, replays={"preroll": replayed.replays["preroll"]}))
    assert alone.outcome is Outcome.UNKNOWN
    assert "no HPA was replayed" in alone.text


def named(one, name):
    return replace(one, series=replace(one.series, series_id=name))


def test_several_series_are_counted_and_few_are_named(replayed):
    given = [named(replayed, name) for name in "abcde"]
    outcome = give_verdict(replayed).outcome.value
    first, *few = verdict(make_proof(*given[:2])).split("\n")
    assert first == f"Of 2 series Preroll is {outcome} on 2."
    assert [line[:3] for line in few] == ["a: ", "b: "]
    given[4] = replace(given[4], replays={})
    told = verdict(make_proof(*given))
    assert told == f"Of 5 series Preroll is {outcome} on 4; 1 cannot be compared."


def test_several_series_are_added_up_at_equal_unserved_traffic(swept):
    good = with_points(named(swept, "a"), hpa(0.004, 0.20), preroll(0.003, 0.08))
    same = with_points(named(swept, "b"), hpa(0.004, 0.10), preroll(0.003, 0.50))
    told = verdict(make_proof(good, same)).split("\n")[0]
    assert told == (
        "At 0.5 % unserved traffic Preroll runs 40 % fewer idle replica-hours than an HPA at its "
        "best setting (9 % idle instead of 15 %), over 2 series, each policy at its best on each. "
        "Of 2 series Preroll is better on 1 and level on 1."
    )
    late = with_points(named(swept, "c"), hpa(0.5, 0.10), preroll(0.003, 0.50))
    told = verdict(make_proof(good, same, late))
    assert "over the 2 of 3 series where an HPA comes to that, each policy" in told
