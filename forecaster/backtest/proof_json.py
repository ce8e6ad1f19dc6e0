"""A proof as plain values for JSON, and its decisions as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.peak_scores import DECISION_COLUMNS, PeakScores, decision_rows
from forecaster.backtest.pooled import pooled_frontier, pooled_measures
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.proof_assembly import left_out_notices, only_levels
from forecaster.backtest.replay_json import frontier_json, measures_json, policies_json
from forecaster.backtest.report import plain, report_json, stamp
from forecaster.backtest.verdict import verdict

__all__ = ["proof_decision_rows", "proof_json"]


def proof_json(proof: Proof, seconds: float) -> dict[str, Any]:
    """The whole proof; what cannot be said is None, never NaN.

    What is said of all series stands at the top, of each under ``series`` and its name. Day-ahead
    scores are there where the outlook was scored; ``outlook`` is None where it was not.
    """
    document: dict[str, Any] = {
        "unit": proof.unit.label,
        "step_seconds": proof.step.total_seconds(),
        "quantiles": [],
        "outlook": None,
        "series": {},
    }
    if proof.day_ahead is not None:
        document = report_json(proof.day_ahead, seconds)
    days = document.pop("series")
    document.pop("notices", None)
    several = len(proof.series) > 1
    only = next(iter(proof.series.values()))
    document |= {
        "verdict": verdict(proof),
        "settings": _settings(proof),
        "lead_peak": _lead_peak(proof.scores, [one.decisions for one in proof.series.values()]),
        "policies": _fleet_policies(proof) if several else policies_json(only.replays.values()),
        "frontier": _fleet_frontier(proof) if several else _frontier(only),
        "series": {
            name: {**days.get(name, {}), **_series(one)} for name, one in proof.series.items()
        },
        "left_out": dict(proof.left_out),
        "notices": [*left_out_notices(proof), *proof.notices],
        "seconds": round(seconds, 3),
    }
    return document


def proof_decision_rows(proof: Proof) -> Iterator[tuple[object, ...]]:
    """The header, then a row for each step of each series' test and each quantile asked for.

    Where there are several series, a last column, ``series``, names them.
    """
    named = len(proof.series) > 1
    yield (*DECISION_COLUMNS, *(("series",) if named else ()))
    rule_of = proof.asked
    for name, one in proof.series.items():
        rule = one.settings.rule(rule_of.quantile)
        last = (name,) if named else ()
        decisions = only_levels(one.decisions, rule_of.levels)
        for row in decision_rows(decisions, rule, proof.unit.per_rps, one.events):
            yield (*row, *last)


def _settings(proof: Proof) -> dict[str, Any]:
    asked = proof.asked
    capacities = {one.settings.capacity_rps for one in proof.series.values()}
    return dict(
        plain(
            {
                "capacity": "auto" if asked.capacity_rps is None else "given",
                "capacity_rps": capacities.pop() if len(capacities) == 1 else None,
                "lead_time_seconds": asked.lead_time.total_seconds(),
                "lead_steps": proof.lead_steps,
                "quantile": asked.quantile,
                "min_replicas": asked.min_replicas,
                "max_replicas": asked.max_replicas,
                "tolerance_ratio": asked.tolerance_ratio,
                "utilisation": asked.utilisation,
                "startup_seconds": list(asked.startup_seconds),
                "price_per_replica_hour": asked.price_per_replica_hour,
                "timezone": asked.timezone,
                "policies": list(asked.policies),
            }
        )
    )


def _series(one: SeriesProof) -> dict[str, Any]:
    return {
        "test_start": stamp(one.decisions.start),
        "test_end": stamp(one.series.end),
        "capacity_rps": plain(one.settings.capacity_rps),
        "lead_peak": _lead_peak(one.scores, [one.decisions]),
        "policies": policies_json(one.replays.values()),
        "policies_left_out": dict(one.silent),
        "frontier": _frontier(one),
    }


def _lead_peak(scores: PeakScores, decisions: Sequence[PeakDecisions]) -> dict[str, Any]:
    said = {repr(float(level)): plain(share) for level, share in scores.coverage.items()}
    taught = dict.fromkeys(who.value for one in decisions for who in one.taught)
    reasons = dict.fromkeys(reason for one in decisions for reason in one.reasons)
    return {
        "coverage": said,
        "pinball": plain(scores.pinball),
        "live_ratio": plain(scores.live_ratio),
        "windows": scores.windows,
        "taught": list(taught),
        "reasons": list(reasons),
    }


def _frontier(one: SeriesProof) -> list[dict[str, Any]]:
    return [] if one.frontier is None else frontier_json(one.frontier)


def _fleet_policies(proof: Proof) -> dict[str, Any]:
    return {
        name: {**measures_json(one.measures), "series": one.series}
        for name, one in pooled_measures(proof).items()
    }


def _fleet_frontier(proof: Proof) -> list[dict[str, Any]]:
    return [
        {
            "unserved_ratio": row.unserved_ratio,
            **{name: plain(slack) for name, slack in row.slack.items()},
            "ratio_to_hpa": plain(row.ratio_to_hpa()),
            "series": row.series,
            "not_tried": dict(row.not_tried),
        }
        for row in pooled_frontier(proof)
    ]
