from __future__ import annotations

import numpy as np

from forecaster.models.profile_features import profile_features
from forecaster.models.seasonal_regression import MEMBERS


def test_each_origin_uses_only_the_rows_before_it() -> None:
    rng = np.random.default_rng(1)
    values = np.sin(np.arange(48) / 8)[None, :] + rng.normal(0, 0.2, (40, 48))
    changed = values.copy()
    changed[36:] += 4
    origins = np.arange(30, 41)
    for member in MEMBERS:
        for lead in (1, 2):
            before, after = (
                member.forecast(one, profile_features(one, lead, 1), lead, origins)
                for one in (values, changed)
            )
            np.testing.assert_allclose(before[:7], after[:7], rtol=1e-9)  # origins 30 to 36
            assert np.abs(before[7] - after[7]).max() > 0.1


def test_it_follows_a_level_that_changes_from_week_to_week() -> None:
    rng = np.random.default_rng(6)
    level = np.repeat(rng.normal(0, 0.6, 12), 7)[:, None]
    values = level + np.sin(np.arange(48) / 8)[None, :] + rng.normal(0, 0.05, (84, 48))
    features = profile_features(values, 1, 7)
    # A day into a new week: yesterday tells the level, the profile alone does not.
    origins = np.arange(57, 84, 7) + 1
    paths = MEMBERS[0].forecast(values, features, 1, origins)
    ours = np.abs(paths - values[origins]).mean()
    profile = np.abs(features.base[origins] - values[origins]).mean()
    assert ours < 0.5 * profile


def test_one_wild_day_does_not_bend_the_weights() -> None:
    rng = np.random.default_rng(4)
    values = np.sin(np.arange(48) / 8)[None, :] + rng.normal(0, 0.1, (50, 48))
    wild = values.copy()
    wild[25] += 6.0
    origin = np.array([50])
    calm, bent = (
        MEMBERS[0].forecast(one, profile_features(one, 1, 1), 1, origin) for one in (values, wild)
    )
    assert np.abs(calm - bent).max() < 0.15


def test_too_little_to_learn_from_leaves_the_profile() -> None:
    values = np.tile(np.sin(np.arange(24) / 4), (3, 1))
    features = profile_features(values, 1, 1)
    path = MEMBERS[0].forecast(values, features, 1, np.array([3]))
    np.testing.assert_allclose(path[0], features.base[3])
