"""The starter model of the wheel: for a first workload on its first day.

It is trained by ``python -m benchmarks.starter`` on the traces that may ship with the project (see
``starter.txt`` beside it), at several steps and lead times, which it is told as features.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib.resources import files

import numpy as np

from forecaster.models.peak.model import LeadPeakModel
from forecaster.traffic.history import TrafficSeries

__all__ = ["day_prints", "knows_starter", "load_starter"]

_MODEL = "starter.npz"
_PRINTS = "starter-days.npy"
_KNOWN_PARTS = 2
_QUARTER = 6  # hours


def load_starter(step: timedelta, lead_steps: int) -> LeadPeakModel:
    """The starter model for this step and lead window; call ``for_workload`` on it."""
    return replace(_starter(), step=step, lead_steps=lead_steps)


def knows_starter(series: TrafficSeries) -> bool:
    """Whether ``series`` is one of those that taught the starter: it must not be judged on it."""
    known = np.isin(day_prints(series), _prints())
    return int(known.sum()) >= min(_KNOWN_PARTS, max(1, len(known)))


def day_prints(series: TrafficSeries) -> np.ndarray:
    """A print of each whole quarter of a UTC day, uint32; of a whole series shorter than two.

    It is made of the shares that its hours have in its traffic, in hundredths of a percent, so
    neither the unit of a file nor its step changes it. Quarters without traffic have none.
    """
    per_hour = max(1, round(timedelta(hours=1) / series.step))
    first = series.start.timestamp()
    offset = round((-first % 3600) / series.step_seconds)
    values = np.nan_to_num(series.rate_rps[offset:])
    hours = values[: len(values) // per_hour * per_hour].reshape(-1, per_hour).sum(axis=1)
    parts = [hours if len(hours) else values]  # not even one hour: its steps
    if len(hours) >= 2 * _QUARTER:
        hour = round((first + offset * series.step_seconds) / 3600) % _QUARTER
        whole = hours[-hour % _QUARTER :]
        parts = list(whole[: len(whole) // _QUARTER * _QUARTER].reshape(-1, _QUARTER))
    shares = [np.rint(part / part.sum() * 10_000) for part in parts if part.any()]
    prints = [zlib.crc32(share.astype(np.int64).tobytes()) for share in shares]
    return np.array(prints, dtype=np.uint32)


@cache
def _starter() -> LeadPeakModel:
    data = (files("forecaster.models.peak") / _MODEL).read_bytes()
    return LeadPeakModel.from_bytes(data)


@cache
def _prints() -> np.ndarray:
    path = files("forecaster.models.peak") / _PRINTS
    with path.open("rb") as file:
        found: np.ndarray = np.load(file, allow_pickle=False)
    return found
