from __future__ import annotations

import numpy as np
import pytest

from forecaster.models.blend import asymmetric_loss, blend_candidates
from forecaster.models.candidates import Candidate

DAYS, BINS, EPSILON = 30, 48, 1 / 60
NAMES = ("profile", "seasonal_naive")


def truth(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 3 + np.sin(np.arange(BINS) / 8)[None, :] + rng.normal(0, 0.02, (DAYS, BINS))


def candidate(name: str, values: np.ndarray, error: float, seed: int, first: int = 1) -> Candidate:
    noise = np.random.default_rng(seed).normal(0, error, (DAYS + 1, BINS))
    past = values + noise[:DAYS]
    past[:first] = np.nan
    return Candidate(name, (past, past.copy()), noise[DAYS:] + values[-1:])


def shares(blend) -> dict[str, float]:
    return {score.model: score.share for score in blend.scorecard}


def test_the_better_candidate_gets_the_larger_share_and_a_hopeless_one_none() -> None:
    values = truth()
    blend = blend_candidates(
        [
            candidate("profile", values, 0.1, 1),
            candidate("seasonal_naive", values, 0.2, 2),
            candidate("wild", values, 2.0, 3),
        ],
        values,
        EPSILON,
        2.0,
    )
    share = shares(blend)
    assert share["profile"] > 0.85
    assert 0 < share["seasonal_naive"] < 0.15
    assert share["wild"] == 0
    assert sum(share.values()) == pytest.approx(1)
    assert blend.name == "blend"


def test_averaging_equals_is_better_than_either() -> None:
    values = truth()
    parts = [
        candidate(name, values, 0.3, i) for i, name in enumerate(["profile", "seasonal_naive"])
    ]
    blend = blend_candidates(parts, values, EPSILON, 1.0)
    error = np.nanmean(np.abs(blend.past[0] - values))
    assert error < 0.8 * min(np.nanmean(np.abs(one.past[0] - values)) for one in parts)


def test_where_the_blend_would_have_been_worse_than_naive_naive_is_chosen_alone() -> None:
    values = truth()
    rivals = []
    for i, name in enumerate(["profile", "profile_fast"]):
        rival = candidate(name, values, 0.05, i)
        rival.past[0][:] += 0.5  # all err on the same side, so averaging does not help
        rivals.append(rival)
    naive = candidate("seasonal_naive", values, 0.35, 9)
    blend = blend_candidates([*rivals, naive], values, EPSILON, 1.0)
    if blend.name == "seasonal_naive":
        np.testing.assert_array_equal(blend.ahead, naive.ahead)
        assert "times as wrong" in blend.reason
    exact = candidate("seasonal_naive", values, 0.0, 9)
    assert blend_candidates([*rivals, exact], values, EPSILON, 1.0).name == "seasonal_naive"


def test_too_little_weighs_more_than_too_much() -> None:
    values = truth()
    low, high = candidate("profile", values, 0.0, 1), candidate("seasonal_naive", values, 0.0, 2)
    low.past[0][:] = np.log(np.exp(low.past[0]) * 0.9)
    high.past[0][:] = np.log(np.exp(high.past[0]) * 1.1)
    share = shares(blend_candidates([low, high], values, EPSILON, 3.0))
    assert share["seasonal_naive"] > share["profile"]


def test_without_a_day_to_compare_on_the_first_candidate_speaks() -> None:
    values = truth()
    nothing = [
        candidate(name, values, 0.1, 1, first=DAYS) for name in ("profile", "seasonal_naive")
    ]
    blend = blend_candidates(nothing, values, EPSILON, 2.0)
    assert blend.name == "profile"
    assert "no earlier day" in blend.reason


def test_a_score_from_few_days_is_held_against_a_candidate() -> None:
    values = truth()
    long = candidate("profile", values, 0.1, 1)
    short = candidate("seasonal_naive", values, 0.1, 1, first=DAYS - 1)
    share = shares(blend_candidates([long, short], values, EPSILON, 1.0))
    assert share["profile"] > 1.5 * share["seasonal_naive"]


def test_the_asymmetric_loss_is_a_pinball_loss_up_to_a_factor() -> None:
    rng = np.random.default_rng(1)
    observed, forecast = rng.gamma(2, 5, 500), rng.gamma(2, 5, 500)
    penalty = 2.0
    level = penalty / (1 + penalty)
    error = observed - forecast
    pinball = np.where(error > 0, level * error, (level - 1) * error)
    np.testing.assert_allclose(
        asymmetric_loss(observed, forecast, penalty), (1 + penalty) * pinball
    )
