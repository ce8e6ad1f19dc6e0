"""Replays and frontiers as plain values for JSON: no NaN, no infinity, ten digits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from forecaster.backtest.frontier import Frontier
from forecaster.backtest.measures import Measures
from forecaster.backtest.replay import PolicyReplay

__all__ = ["frontier_json", "measures_json", "policies_json"]


def policies_json(replays: Iterable[PolicyReplay]) -> dict[str, dict[str, Any]]:
    """Each policy's measures by its name, with its setting."""
    return {
        one.name: {
            **measures_json(one.measures),
            "setting": {name: _plain(value) for name, value in one.setting.items()},
        }
        for one in replays
    }


def measures_json(measures: Measures) -> dict[str, Any]:
    """The fields of ``Measures``; ``cost`` only where a price was given."""
    return {
        "unserved_ratio": _plain(measures.unserved_ratio),
        "underprovisioned_seconds": _plain(measures.underprovisioned_seconds),
        "longest_shortage_seconds": _plain(measures.longest_shortage_seconds),
        "slack_ratio": _plain(measures.slack_ratio),
        "replica_hours": _plain(measures.replica_hours),
        "paid_replica_hours": _plain(measures.paid_replica_hours),
        "scaling_actions": measures.scaling_actions,
        **({} if measures.cost is None else {"cost": _plain(measures.cost)}),
    }


def frontier_json(frontier: Frontier, policy: str = "preroll") -> list[dict[str, Any]]:
    """A row for each target: each policy's slack, null where it did not reach the target.

    ``ratio_to_hpa`` is that of ``policy``, ``settings`` say which setting of each policy won.
    """
    return [
        {
            "unserved_ratio": row.unserved_ratio,
            **{name: _plain(row.slack(name)) for name in row.best},
            "ratio_to_hpa": _plain(row.ratio_to_hpa(policy)),
            "settings": {
                name: {knob: _plain(value) for knob, value in point.setting.items()}
                for name, point in row.best.items()
                if point is not None
            },
        }
        for row in frontier.rows
    ]


def _plain(value: float | int | None) -> float | int | None:
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value
