"""Gradient boosting with LightGBM. The only importer of lightgbm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import ForecastError
from forecaster.models.peak.forest import Forest, forest_from_dump, join_forests
from forecaster.traffic.history import FloatArray

__all__ = ["BoostingConfig", "CrossFit", "cross_fit"]


@dataclass(frozen=True)
class BoostingConfig:
    """How trees are grown: many small ones, each from a part of the rows and the features."""

    rounds: int = 100
    learning_rate: float = 0.08
    leaves: int = 15
    least_rows: int = 40
    feature_share: float = 0.7
    row_share: float = 0.7
    l2: float = 1.0
    bins: int = 127
    seed: int = 7


@dataclass(frozen=True, eq=False)
class CrossFit:
    """``forest`` is the mean of the folds' forests; ``foretold`` (rows,) is what, for each row, the
    forest said that had not learnt the row's fold."""

    forest: Forest
    foretold: FloatArray


def cross_fit(
    features: NDArray[np.float32],
    target: FloatArray,
    weight: FloatArray,
    fold: NDArray[np.int64],
    config: BoostingConfig = BoostingConfig(),
) -> CrossFit:
    """Least-squares boosting of ``target`` (rows,) on ``features`` (rows, features), fold by fold.

    One thread, and the same rows give the same forest. Raises ValueError where there is one fold
    only, and ForecastError where LightGBM, or the OpenMP library that it needs, is missing.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError("cross-fitting needs two folds at the least")
    lightgbm = _lightgbm()
    parameters = {
        "objective": "l2",
        "verbosity": -1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.least_rows,
        "feature_fraction": config.feature_share,
        "bagging_fraction": config.row_share,
        "bagging_freq": 1,
        "lambda_l2": config.l2,
        "max_bin": config.bins,
        "seed": config.seed,
    }
    rows = lightgbm.Dataset(
        features, target, weight=weight, params=parameters, free_raw_data=False
    ).construct()
    foretold = np.empty(len(target))
    forests = []
    for number in numbers:
        inside = fold == number
        others = rows.subset(np.flatnonzero(~inside))
        booster = lightgbm.train(parameters, others, config.rounds)
        foretold[inside] = booster.predict(features[inside], num_threads=1)
        forests.append(forest_from_dump(booster.dump_model()["tree_info"]))
    return CrossFit(join_forests(forests, 1 / len(forests)), foretold)


def _lightgbm() -> Any:
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: libgomp.so.1 is not there
        raise ForecastError(
            f"LightGBM cannot be loaded ({error}); it needs the OpenMP library libgomp: "
            "on Debian, apt-get install libgomp1"
        ) from error
    return lightgbm
