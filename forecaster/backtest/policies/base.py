"""What every policy is: a floor, or none, in front of the same HPA on measured traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from forecaster.backtest.hpa import (
    AverageValueMetric,
    Band,
    Metric,
    ScaleBehavior,
    Signal,
    Source,
)
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.planning.capacity import IntArray

__all__ = [
    "USUAL_UTILISATION",
    "Floor",
    "Policy",
    "Setting",
    "check_factor",
    "check_utilisation",
    "served_floor",
]

USUAL_UTILISATION = 0.7
"""What HPAs are set to when nobody measured: the 70 % of deploy/examples, three tenths of room."""

Setting = Mapping[str, float | int | None]


@dataclass(frozen=True, eq=False)
class Floor:
    """One more metric of the HPA, and where its values come from.

    ``band`` is how the controller that reads it compares; ``behavior`` None: the replay's own.
    """

    metric: Metric
    source: Source
    band: Band = Band.INCLUSIVE
    behavior: ScaleBehavior | None = None


class Policy(Protocol):
    """A frozen value with its production knobs as fields.

    ``utilisation`` is the target of the HPA beneath, as a ratio of a replica's capacity; None: no
    HPA beneath, the floor alone. ``setting`` names the knobs for a reader. At the start of each
    step ``floor`` may use what had ended by then, and nothing else.
    """

    @property
    def name(self) -> str:
        """The name in all output."""

    @property
    def utilisation(self) -> float | None:
        """The target of the HPA on measured traffic."""

    @property
    def setting(self) -> Setting:
        """The knobs by name."""

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor | None:
        """The floor over the span; None: the HPA alone."""

    def variants(self) -> tuple[Self, ...]:
        """The same policy at each value of its own knob that a frontier tries."""


def served_floor(
    replicas: IntArray, unknown: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
) -> Floor:
    """A floor as KEDA's metrics-api reads it: so many replicas from the start of each step on.

    Where ``unknown`` is true the metric fails, as it does on a 503.
    """
    values = replicas.astype(np.float64)
    if unknown is not None:
        values[unknown] = np.nan
    return Floor(AverageValueMetric(1), Signal(values, served=True))


def check_utilisation(utilisation: float | None) -> None:
    """ValueError unless it is None or from 0.01 to 10."""
    if utilisation is not None and not 0.01 <= utilisation <= 10:
        raise ValueError(f"utilisation must lie in 0.01 to 10, for example 0.7, not {utilisation}")


def check_factor(factor: float) -> None:
    """ValueError unless it is from 0 to 100."""
    if not 0 <= factor <= 100:
        raise ValueError(f"factor must lie in 0 to 100, for example 1.2, not {factor}")
