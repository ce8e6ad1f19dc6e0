"""What was found, put together: as much of a proof as there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from forecaster.backtest.frontier import build_frontier
from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.peak_scores import PeakScores, score_peaks
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.proof_parts import ProofPart
from forecaster.backtest.proof_run import (
    Findings,
    ProofPlan,
    make_decisions,
    observed_span,
    series_settings,
)
from forecaster.backtest.proof_tasks import declared_in
from forecaster.backtest.replay import POLICY_NAMES
from forecaster.backtest.report import BacktestReport, InputUnit, build_report, few
from forecaster.errors import HistoryTooShort

__all__ = ["HINDSIGHT", "assemble", "left_out_notices", "only_levels"]

HINDSIGHT = (
    "every event of the calendar counts as known at every training, whenever it was added: "
    "hindsight flatters"
)
"""What a reader of a proof with a calendar should know."""


def assemble(plan: ProofPlan, findings: Findings, unit: InputUnit = InputUnit()) -> Proof:
    """The proof of what ``find`` has found, be it all or a part.

    A series is there from its first origin on. Raises HistoryTooShort where none is.
    """
    series: dict[str, SeriesProof] = {}
    for part in plan.parts:
        one = _series(plan, findings, part, unit)
        if one is not None:
            series[part.series.series_id] = one
    if not series:
        raise HistoryTooShort("nothing was found out")
    day_ahead, why_not = _day_ahead(plan, findings, unit)
    asked = plan.asked.levels
    scores = score_peaks(
        [only_levels(one.decisions, asked) for one in series.values()], unit.per_rps
    )
    return Proof(
        unit=unit,
        asked=plan.asked,
        series=series,
        scores=scores,
        day_ahead=day_ahead,
        left_out=plan.left_out,
        notices=tuple(_notices(plan, series, day_ahead, why_not)),
    )


def only_levels(decisions: PeakDecisions, levels: Sequence[float]) -> PeakDecisions:
    """The same decisions, of some of their levels alone; ValueError for one that was not made."""
    kept = tuple(sorted(set(levels)))
    rows = [decisions.levels.index(level) for level in kept]
    return replace(decisions, levels=kept, peak_rps=decisions.peak_rps[rows])


def _series(
    plan: ProofPlan, findings: Findings, part: ProofPart, unit: InputUnit
) -> SeriesProof | None:
    name, asked = part.series.series_id, plan.asked
    decisions = findings.decisions.get(name)
    if decisions is None:
        try:
            decisions = make_decisions(part, findings.origins.get(name, ()), asked)
        except ValueError:
            return None
    scores: PeakScores = score_peaks([only_levels(decisions, asked.levels)], unit.per_rps)
    found = findings.replays.get(name, {})
    points = findings.points.get(name, ())
    span = observed_span(part)
    return SeriesProof(
        series=part.series,
        decisions=decisions,
        scores=scores,
        settings=series_settings(part, asked)[0],
        span=span,
        replays={
            policy: replay
            for policy in POLICY_NAMES
            if policy in found and (replay := found[policy].replay) is not None
        },
        frontier=build_frontier(points) if findings.swept and points else None,
        silent={one.name: one.why_not for one in found.values() if one.replay is None},
        events=() if span is None else declared_in(span, asked),
    )


def _day_ahead(
    plan: ProofPlan, findings: Findings, unit: InputUnit
) -> tuple[BacktestReport | None, str]:
    holdouts = [part.holdout for part in plan.parts if part.holdout is not None]
    skipped = {part.series.series_id: part.why_not for part in plan.parts if part.holdout is None}
    results = [
        one.day_ahead
        for origins in findings.origins.values()
        for one in origins
        if one.day_ahead is not None
    ]
    if not holdouts or not results:
        name, why = next(iter(skipped.items()), ("", "nothing was forecast"))
        return None, f"{name}: {why}" if name and len(plan.parts) > 1 else why
    try:
        return build_report(holdouts, results, plan.quantiles, unit, skipped), ""
    except HistoryTooShort as error:
        return None, str(error).splitlines()[0]


def _notices(
    plan: ProofPlan,
    series: dict[str, SeriesProof],
    day_ahead: BacktestReport | None,
    why_not: str,
) -> Iterator[str]:
    yield from _grouped((one.series.series_id, one.notice) for one in plan.parts if one.notice)
    if plan.asked.calendar:
        yield HINDSIGHT
    if day_ahead is None:
        yield f"the outlook is not scored day by day: {why_not}"
    else:
        yield from day_ahead.notices
    yield from _grouped(
        (name, why)
        for name, one in series.items()
        for why in (*one.decisions.reasons, *_capacity_reason(plan, name))
    )
    yield from _grouped(
        (name, f"{policy} is left out: {why}")
        for name, one in series.items()
        for policy, why in one.silent.items()
    )


def left_out_notices(proof: Proof) -> list[str]:
    """The series of which nothing is said, and why, a sentence for each reason."""
    return _grouped((name, f"left out: {why}") for name, why in proof.left_out.items())


def _grouped(told: Iterable[tuple[str, str]]) -> list[str]:
    """What is said of several series is said once, and how many they are."""
    named: dict[str, list[str]] = {}
    for name, text in told:
        named.setdefault(text.replace(f"{name}: ", ""), []).append(name)
    sentences = [
        f"{names[0] if len(names) == 1 else f'{len(names)} series'}: {text}"
        for text, names in named.items()
    ]
    return few(sentences, "of this kind")


def _capacity_reason(plan: ProofPlan, name: str) -> list[str]:
    part = next(one for one in plan.parts if one.series.series_id == name)
    why = series_settings(part, plan.asked)[1]
    return [why] if why else []
