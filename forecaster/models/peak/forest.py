"""Boosted trees as plain arrays: what is trained with LightGBM is read without it.

A serving process needs neither LightGBM nor its OpenMP, a stored model is a few tens of kilobytes,
and replay and service add up the same numbers in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["Forest", "forest_from_dump", "join_forests"]

_ROWS = 2048
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Forest:
    """The sum of trees, each a row of the arrays, shape (trees, nodes).

    A node sends a value to ``left`` where it is at most ``threshold``, and a NaN to ``left`` where
    ``nan_left``, else to the right-hand node ``right``; a negative child −k − 1 is leaf k, with
    ``leaf`` of shape (trees, leaves). A tree of one leaf has the left child −1 at its root and a
    threshold that no value passes.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    nan_left: NDArray[np.bool_]
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    leaf: NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in self.arrays().values():
            array.setflags(write=False)

    @property
    def trees(self) -> int:
        """How many trees."""
        return int(self.leaf.shape[0])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {
            "feature": self.feature,
            "threshold": self.threshold,
            "nan_left": self.nan_left,
            "left": self.left,
            "right": self.right,
            "leaf": self.leaf,
        }

    def predict(self, features: NDArray[np.float32]) -> FloatArray:
        """The sum over all trees for each row of (rows, features)."""
        parts = [
            self._sum(features[first : first + _ROWS]) for first in range(0, len(features), _ROWS)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _sum(self, rows: NDArray[np.float32]) -> FloatArray:
        trees = np.arange(self.trees)[None, :]
        row = np.arange(len(rows))[:, None]
        node = np.zeros((len(rows), self.trees), dtype=np.int64)
        while (node >= 0).any():
            at = np.maximum(node, 0)
            value = rows[row, self.feature[trees, at]]
            go_left = np.where(
                np.isnan(value), self.nan_left[trees, at], value <= self.threshold[trees, at]
            )
            child = np.where(go_left, self.left[trees, at], self.right[trees, at])
            node = np.where(node >= 0, child, node)
        total: FloatArray = self.leaf[trees, -node - 1].sum(axis=1, dtype=np.float64)
        return total


def forest_from_dump(tree_info: Sequence[dict[str, Any]]) -> Forest:
    """The forest of LightGBM's ``dump_model()["tree_info"]``; numerical splits only."""
    trees = [_flatten(one["tree_structure"]) for one in tree_info]
    nodes = max((len(splits) for splits, _ in trees), default=1) or 1
    leaves = max((len(values) for _, values in trees), default=1)
    shape = (len(trees), nodes)
    forest: dict[str, NDArray[Any]] = {
        "feature": np.zeros(shape, dtype=np.int16),
        "threshold": np.full(shape, np.inf, dtype=np.float32),
        "nan_left": np.ones(shape, dtype=bool),
        "left": np.full(shape, -1, dtype=np.int16),
        "right": np.full(shape, -1, dtype=np.int16),
        "leaf": np.zeros((len(trees), leaves), dtype=np.float32),
    }
    for index, (splits, values) in enumerate(trees):
        forest["leaf"][index, : len(values)] = values
        for node, (feature, threshold, nan_left, left, right) in enumerate(splits):
            forest["feature"][index, node] = feature
            forest["threshold"][index, node] = _at_most(threshold)
            forest["nan_left"][index, node] = nan_left
            forest["left"][index, node] = left
            forest["right"][index, node] = right
    return Forest(**forest)


def join_forests(forests: Sequence[Forest], scale: float = 1.0) -> Forest:
    """One forest that gives the sum of several, times ``scale``."""
    nodes = max(one.feature.shape[1] for one in forests)
    leaves = max(one.leaf.shape[1] for one in forests)
    fill = {"threshold": np.inf, "nan_left": True, "left": -1, "right": -1}
    joined: dict[str, NDArray[Any]] = {}
    for name in forests[0].arrays():
        width = leaves if name == "leaf" else nodes
        parts = []
        for one in forests:
            array = one.arrays()[name]
            missing = width - array.shape[1]
            parts.append(np.pad(array, ((0, 0), (0, missing)), constant_values=fill.get(name, 0)))
        joined[name] = np.concatenate(parts)
    joined["leaf"] = (joined["leaf"] * np.float32(scale)).astype(np.float32)
    return Forest(**joined)


def _at_most(threshold: float) -> np.float32:
    """The largest float32 that is not above ``threshold``: float32 features compare alike."""
    if threshold >= _LARGEST:
        return np.float32(np.inf)  # every number goes left, and only NaN is told apart
    rounded = np.float32(threshold)
    return np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded


_Split = tuple[int, float, bool, int, int]


def _flatten(root: dict[str, Any]) -> tuple[list[_Split], list[float]]:
    splits: list[_Split] = []
    values: list[float] = []

    def add(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            values.append(float(node["leaf_value"]))
            return -len(values)
        place = len(splits)
        splits.append((0, 0.0, True, 0, 0))
        missing_left = (node["missing_type"] == "NaN" and bool(node["default_left"])) or (
            node["missing_type"] != "NaN" and node["threshold"] >= 0.0
        )
        left, right = add(node["left_child"]), add(node["right_child"])
        splits[place] = (
            int(node["split_feature"]),
            float(node["threshold"]),
            missing_left,
            left,
            right,
        )
        return place

    add(root)
    return splits, values
