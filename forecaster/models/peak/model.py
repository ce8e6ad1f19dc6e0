"""The trained lead-peak model of a workload or a fleet: small, and read without LightGBM."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import ForecastError
from forecaster.events.uplift import UpliftModel
from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak.event_features import EVENT_FEATURES
from forecaster.models.peak.features import (
    FEATURES,
    RECENT,
    Decisions,
    epsilon_rps,
    expected_rise,
    feature_matrix,
    now_rps,
)
from forecaster.models.peak.forest import Forest
from forecaster.models.peak.online import OnlineCalibration, gain_per_step
from forecaster.traffic.history import FloatArray

__all__ = ["LeadPeakModel", "Taught", "Telling", "peak_rates"]

_FORMAT = 1
# A quantile beyond everything seen is a guess about a tail: no more than twice the highest.
_CEILING = 2.0
_LARGEST_SCALE = 2.5  # of log traffic: errors of a factor twelve are not a scale any more


class Taught(StrEnum):
    """Whose past taught a model: the workload's own, the fleet's, or the traces of the wheel."""

    OWN = "own"
    FLEET = "fleet"
    STARTER = "starter"


@dataclass(frozen=True, eq=False)
class Telling:
    """What a model says of some decisions, before quantiles: log traffic, shape (rows,).

    The lead peak's quantile is exp(location + scale · score quantile) − ε.
    """

    location: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False)
class LeadPeakModel:
    """Location and scale of log(lead peak + ε), as two forests, and the scores of past windows.

    ``score_quantiles`` are those of past scores at the probabilities (k + ½) / n, rising; ``path``
    is the day-ahead path from four hours before the cutoff on (None: there was no outlook);
    ``highest_rps`` the highest traffic of the last 28 days, NaN where there was none. ``levels``
    and ``offsets`` are where online calibration goes on from. ``uplift`` is what past events of the
    workload brought, and ``path`` knows of none then; ``knows_events`` is whether the forests look
    at events, which those that others have taught do not.
    """

    series_id: str
    cutoff: datetime
    step: timedelta
    lead_steps: int
    taught: Taught
    location: Forest
    scale: Forest
    score_quantiles: FloatArray
    highest_rps: float
    path: DayAheadPath | None = None
    levels: tuple[float, ...] = ()
    offsets: FloatArray | None = None
    knows_events: bool = False
    uplift: UpliftModel | None = None

    @property
    def recent(self) -> timedelta:
        """How much live traffic a decision looks at."""
        return max(RECENT, 8 * self.step)

    def tell(self, decisions: Decisions) -> Telling:
        """Location and scale for each row; NaN where the last interval is a gap."""
        features = feature_matrix(decisions)[:, : self._features]
        now = np.log(now_rps(decisions) + epsilon_rps(decisions.step))
        location = now + self.location.predict(features) + expected_rise(features)
        scale = np.minimum(np.exp(self.scale.predict(features)), _LARGEST_SCALE)
        return Telling(location, np.where(np.isnan(location), np.nan, scale))

    @property
    def _features(self) -> int:
        return len(FEATURES) + (len(EVENT_FEATURES) if self.knows_events else 0)

    def score_at(self, levels: tuple[float, ...]) -> FloatArray:
        """The quantiles of past scores at ``levels``, shape (len(levels),)."""
        count = len(self.score_quantiles)
        places = (np.arange(count) + 0.5) / count
        return np.interp(levels, places, self.score_quantiles)

    def calibration(self, levels: tuple[float, ...]) -> OnlineCalibration:
        """Online calibration of ``levels``, from where the training left it.

        A level that the training did not follow begins between its neighbours.
        """
        offset = np.zeros(len(levels))
        if self.offsets is not None and len(self.levels):
            offset = np.interp(levels, self.levels, self.offsets)
        return OnlineCalibration(levels, self.score_at(levels), gain_per_step(self.step), offset)

    def peaks(self, telling: Telling, scores: FloatArray, highest: FloatArray) -> FloatArray:
        """Traffic per second for each row and score, (rows, levels): see :func:`peak_rates`.

        ``highest`` (rows,) is the highest recent traffic of each row.
        """
        bound = np.fmax(highest, self.highest_rps)
        return peak_rates(telling, scores, bound, epsilon_rps(self.step))

    def for_workload(
        self,
        series_id: str,
        path: DayAheadPath | None,
        uplift: UpliftModel | None = None,
        cutoff: datetime | None = None,
    ) -> LeadPeakModel:
        """The same model for another workload: a fleet's, or the starter.

        ``cutoff`` is that of ``path`` and ``uplift``, whose examples count that were over by then;
        by default the model's own.
        """
        known_at = self.cutoff if cutoff is None else cutoff
        return replace(self, series_id=series_id, path=path, uplift=uplift, cutoff=known_at)

    def to_bytes(self) -> bytes:
        """The model as a compressed archive; see :meth:`from_bytes`."""
        about = {
            "format": _FORMAT,
            "features": [*FEATURES, *(EVENT_FEATURES if self.knows_events else ())],
            "series_id": self.series_id,
            "cutoff": self.cutoff.isoformat(),
            "step_seconds": self.step.total_seconds(),
            "lead_steps": self.lead_steps,
            "taught": self.taught.value,
            "highest_rps": self.highest_rps,
            "levels": list(self.levels),
            "path_start": None if self.path is None else self.path.start.isoformat(),
        }
        arrays: dict[str, Any] = {
            **{f"location_{name}": array for name, array in self.location.arrays().items()},
            **{f"scale_{name}": array for name, array in self.scale.arrays().items()},
            "score_quantiles": self.score_quantiles.astype(np.float32),
            "path": np.zeros(0, np.float32) if self.path is None else self.path.rate_rps,
            "offsets": np.zeros(0) if self.offsets is None else self.offsets,
            "uplift": _blob(b"" if self.uplift is None else self.uplift.to_bytes()),
            "about": _blob(json.dumps(about).encode()),
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> LeadPeakModel:
        """The model in ``data``; ForecastError where it is damaged or of another version."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            about = json.loads(arrays["about"].tobytes())
            knows_events = about["features"] == [*FEATURES, *EVENT_FEATURES]
            known = knows_events or about["features"] == list(FEATURES)
            if about["format"] != _FORMAT or not known:
                raise ForecastError("a lead-peak model of another version of Preroll; train anew")
            step = timedelta(seconds=about["step_seconds"])
            uplift = arrays["uplift"].tobytes() if "uplift" in arrays else b""
            path = None
            if about["path_start"] is not None:
                start = datetime.fromisoformat(about["path_start"]).astimezone(UTC)
                path = DayAheadPath(start, step, arrays["path"])
            return cls(
                series_id=about["series_id"],
                cutoff=datetime.fromisoformat(about["cutoff"]),
                step=step,
                lead_steps=about["lead_steps"],
                taught=Taught(about["taught"]),
                location=_forest(arrays, "location_"),
                scale=_forest(arrays, "scale_"),
                score_quantiles=arrays["score_quantiles"].astype(np.float64),
                highest_rps=about["highest_rps"],
                path=path,
                levels=tuple(about["levels"]),
                offsets=arrays["offsets"] if len(arrays["offsets"]) else None,
                knows_events=knows_events,
                uplift=UpliftModel.from_bytes(uplift) if uplift else None,
            )
        except ForecastError:
            raise
        except Exception as error:  # whatever a damaged archive makes numpy and json raise
            raise ForecastError(f"a lead-peak model that cannot be read: {error}") from error


def _blob(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)


def _forest(arrays: dict[str, np.ndarray], prefix: str) -> Forest:
    found = {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    return Forest(**found)


def peak_rates(
    telling: Telling, scores: FloatArray, highest: FloatArray, epsilon: float
) -> FloatArray:
    """exp(location + scale · score) − ε in traffic per second, shape (rows, levels).

    ``scores`` has shape (levels,) or (rows, levels). Nothing beyond twice ``highest`` (rows,), the
    highest traffic seen, is believed; nor, after silence, beyond ten requests in a step.
    """
    log_peak = telling.location[:, None] + telling.scale[:, None] * scores
    ceiling = np.fmax(_CEILING * highest, 10.0 * epsilon)
    bounded: FloatArray = np.clip(
        np.exp(np.minimum(log_peak, 700.0)) - epsilon, 0.0, ceiling[:, None]
    )
    return bounded
