"""Trees read from arrays say what LightGBM says."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from forecaster.models.peak.boosting import BoostingConfig, cross_fit
from forecaster.models.peak.forest import Forest, forest_from_dump, join_forests


def _grown(rounds: int, *, leaves: int = 31) -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(3000, 5)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    features[:, 4] = np.round(features[:, 4])
    target = np.nan_to_num(features[:, 0]) * 2 + np.isnan(features[:, 1]) + features[:, 4] % 2
    target = np.nan_to_num(target)
    data = lightgbm.Dataset(features, target)
    parameters = {"verbosity": -1, "num_leaves": leaves, "num_threads": 1, "min_data_in_leaf": 5}
    return lightgbm.train(parameters, data, rounds), features


@pytest.mark.parametrize("rounds", [1, 40], ids=["one tree", "forty"])
def test_a_forest_adds_up_to_what_lightgbm_predicts(rounds: int) -> None:
    booster, features = _grown(rounds)
    forest = forest_from_dump(booster.dump_model()["tree_info"])
    assert forest.trees == rounds
    np.testing.assert_allclose(
        forest.predict(features), booster.predict(features), rtol=1e-4, atol=1e-5
    )


def test_values_on_a_threshold_go_the_way_lightgbm_sends_them() -> None:
    booster, features = _grown(20)
    forest = forest_from_dump(booster.dump_model()["tree_info"])
    at = np.unique(forest.threshold[np.isfinite(forest.threshold)])[:200]
    at = at[np.abs(at) > 1e-30]  # LightGBM's own zero is all that is smaller than 1e-35
    rows = np.repeat(features[:1], len(at), axis=0)
    for column in range(features.shape[1]):
        rows[:, column] = at
        np.testing.assert_allclose(forest.predict(rows), booster.predict(rows), atol=1e-5)


def test_a_tree_without_a_split_is_its_one_leaf() -> None:
    data = lightgbm.Dataset(np.zeros((50, 2), dtype=np.float32), np.full(50, 3.5))
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, 1)
    forest = forest_from_dump(booster.dump_model()["tree_info"])
    rows = np.array([[0.0, np.nan], [9.0, -9.0]], dtype=np.float32)
    np.testing.assert_allclose(forest.predict(rows), booster.predict(rows))


def test_joined_forests_are_the_mean_of_their_sums() -> None:
    forests = [
        forest_from_dump(_grown(rounds, leaves=leaves)[0].dump_model()["tree_info"])
        for rounds, leaves in ((3, 4), (8, 31))
    ]
    _, features = _grown(1)
    joined = join_forests(forests, 0.5)
    expected = (forests[0].predict(features) + forests[1].predict(features)) / 2
    np.testing.assert_allclose(joined.predict(features), expected, rtol=1e-5, atol=1e-6)
    assert isinstance(joined, Forest) and joined.trees == 11


def test_cross_fitting_tells_each_row_by_a_forest_that_had_not_learnt_it() -> None:
    rng = np.random.default_rng(1)
    features = np.arange(600, dtype=np.float32)[:, None]
    target = rng.normal(size=600)
    fold = np.arange(600) % 3
    config = BoostingConfig(
        rounds=200, leaves=64, least_rows=1, l2=0.0, row_share=1.0, feature_share=1.0, bins=900
    )
    found = cross_fit(features, target, np.ones(600), fold, config)
    learnt = np.corrcoef(found.forest.predict(features), target)[0, 1]
    foretold = np.corrcoef(found.foretold, target)[0, 1]
    assert learnt > 0.45  # two of three forests know a row by heart
    assert abs(foretold) < 0.3  # and the third does not: pure noise cannot be foretold
    changed = target.copy()
    changed[fold == 1] += 5.0
    again = cross_fit(features, changed, np.ones(600), fold, config)
    np.testing.assert_array_equal(again.foretold[fold == 1], found.foretold[fold == 1])


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="two folds"):
        cross_fit(np.zeros((9, 1), np.float32), np.zeros(9), np.ones(9), np.zeros(9, np.int64))
