"""Candidates to one path: each counts by how it did on the days that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.models.candidates import Candidate
from forecaster.traffic.history import FloatArray

__all__ = ["Blend", "CandidateScore", "asymmetric_loss", "blend_candidates", "path_known_then"]

_HALF_LIFE_DAYS = 10.0
_SHARPNESS = 4.0
_LEAST_SHARE = 0.03
_FEW_ORIGINS = 0.3  # a score from n origins is taken as 1 + 0.3 / n times as bad


@dataclass(frozen=True)
class CandidateScore:
    """How one candidate did, a day ahead.

    ``loss`` is its asymmetric loss as a ratio to the seasonal profile's on the same days (nan where
    there are none), ``origins`` the number of those days, ``share`` its part in the blend.
    """

    model: str
    loss: float
    origins: int
    share: float
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Blend:
    """The chosen path: ``past`` and ``ahead`` as in :class:`Candidate`, in log space."""

    name: str
    reason: str
    past: tuple[FloatArray, ...]
    ahead: FloatArray
    scorecard: tuple[CandidateScore, ...]


def asymmetric_loss(observed: FloatArray, forecast: FloatArray, short_penalty: float) -> FloatArray:
    """Absolute error, ``short_penalty`` times as large where the forecast was too low.

    Any shape; NaN where either is. Up to a factor it is the pinball loss at the quantile
    short_penalty / (1 + short_penalty).

    >>> asymmetric_loss(np.array([10.0, 10.0]), np.array([7.0, 13.0]), 2.0).tolist()
    [6.0, 3.0]
    """
    error = observed - forecast
    loss: FloatArray = np.where(error > 0, short_penalty * error, -error)
    return loss


def blend_candidates(
    candidates: Sequence[Candidate], log_rates: FloatArray, epsilon: float, short_penalty: float
) -> Blend:
    """Weigh candidates by (their loss / the best loss)^-4 over recent days, and average logarithms.

    Where the blend would have been worse than the seasonal naive path over those days, the naive
    path is chosen alone. Without any day to compare on, the first candidate is.
    """
    observed = np.exp(log_rates) - epsilon
    scores = [_score(one, candidates[0], observed, epsilon, short_penalty) for one in candidates]
    shares = _shares(scores)
    past = tuple(
        _average([one.past[lead] for one in candidates], shares)
        for lead in range(len(candidates[0].past))
    )
    ahead = _average([one.ahead for one in candidates], shares)
    origins = max(count for _, count in scores)
    reason = ""
    naive = next(i for i, one in enumerate(candidates) if one.name == "seasonal_naive")
    if origins:
        blended = Candidate("blend", past, ahead)
        ours, _ = _score(blended, candidates[naive], observed, epsilon, short_penalty)
        if ours > 1.0:
            shares = np.zeros(len(candidates))
            shares[naive] = 1.0
            past, ahead = candidates[naive].past, candidates[naive].ahead
            reason = f"; a blend would have been {ours:.2f} times as wrong"
    scorecard = sorted(
        (
            CandidateScore(one.name, score, count, float(share), one.reason)
            for one, (score, count), share in zip(candidates, scores, shares, strict=True)
        ),
        key=lambda score: (-score.share, score.model),
    )
    used = [score for score in scorecard if score.share > 0]
    name = used[0].model if len(used) == 1 else "blend"
    told = ", ".join(f"{score.model} {score.share:.0%}" for score in used)
    if not origins:
        reason = "; no earlier day to compare candidates on"
    elif not reason:
        reason = f"; by their errors on {origins} earlier days"
    coarse = [score.reason for score in used if score.reason]
    reason = f"model: {told}{reason}" + "".join(f"; {text}" for text in coarse)
    return Blend(name, reason, past, ahead, tuple(scorecard))


def path_known_then(
    candidates: Sequence[Candidate], log_rates: FloatArray, epsilon: float, short_penalty: float
) -> FloatArray:
    """Each past day as the blend of that time foretold it a day ahead, shape (days, bins).

    Row r is averaged with the weights that the losses of the rows before it give, so nothing of
    row r or later is in it; NaN where no candidate spoke.
    """
    observed = np.exp(log_rates) - epsilon
    reference = asymmetric_loss(observed, np.exp(candidates[0].past[0]) - epsilon, short_penalty)
    ours: list[FloatArray] = []
    theirs: list[FloatArray] = []
    known: list[NDArray[np.bool_]] = []
    for one in candidates:
        loss = asymmetric_loss(observed, np.exp(one.past[0]) - epsilon, short_penalty)
        both = ~np.isnan(loss) & ~np.isnan(reference)
        ours.append(np.where(both, loss, 0.0).sum(axis=1))
        theirs.append(np.where(both, reference, 0.0).sum(axis=1))
        known.append(np.asarray(both.any(axis=1)))
    path = np.full(log_rates.shape, np.nan)
    for row in np.flatnonzero(~np.isnan(candidates[0].past[0]).all(axis=1)):
        recency = 0.5 ** ((row - 1 - np.arange(row)) / _HALF_LIFE_DAYS)
        scores = [
            (
                _ratio(float(ours[i][:row] @ recency), float(theirs[i][:row] @ recency)),
                int(known[i][:row].sum()),
            )
            for i in range(len(candidates))
        ]
        path[row] = _average([one.past[0][row] for one in candidates], _shares(scores))
    return path


def _ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs > 0 else (1.0 if ours <= 0 else float("inf"))


def _score(
    candidate: Candidate,
    reference: Candidate,
    observed: FloatArray,
    epsilon: float,
    short_penalty: float,
) -> tuple[float, int]:
    """Loss over the reference's on the days that both foretold, and the number of those days."""
    losses = [
        asymmetric_loss(observed, np.exp(one.past[0]) - epsilon, short_penalty)
        for one in (candidate, reference)
    ]
    both = ~np.isnan(losses[0]) & ~np.isnan(losses[1])
    rows = np.flatnonzero(both.any(axis=1))
    if not len(rows):
        return float("nan"), 0
    recency = 0.5 ** ((len(observed) - 1 - rows) / _HALF_LIFE_DAYS)
    ours, theirs = (
        float((np.where(both, loss, 0.0).sum(axis=1)[rows] * recency).sum()) for loss in losses
    )
    return _ratio(ours, theirs), len(rows)


def _shares(scores: Sequence[tuple[float, int]]) -> FloatArray:
    if not any(count for _, count in scores):
        first: FloatArray = np.eye(len(scores))[0]
        return first
    losses = np.array(
        [score * (1 + _FEW_ORIGINS / count) if count else np.inf for score, count in scores]
    )
    best = losses.min()
    # A perfect candidate leaves nothing to weigh.
    shares = (losses / best) ** -_SHARPNESS if best > 0 else (losses <= 0).astype(np.float64)
    shares /= shares.sum()
    shares[shares < _LEAST_SHARE] = 0.0
    result: FloatArray = shares / shares.sum()
    return result


def _average(paths: Sequence[FloatArray], shares: FloatArray) -> FloatArray:
    """The mean of the paths that were made, by share; NaN where none was."""
    stacked = np.stack(paths)
    weight = np.where(np.isnan(stacked), 0.0, shares.reshape(-1, *[1] * paths[0].ndim))
    total = weight.sum(axis=0)
    mean = (np.nan_to_num(stacked) * weight).sum(axis=0)
    average: FloatArray = np.divide(mean, total, out=np.full_like(mean, np.nan), where=total > 0)
    return average
