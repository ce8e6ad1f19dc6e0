"""What a proof comes to, in words that a manager can read.

Nothing is claimed that was not reached: a target counts where a setting that was tried came to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from forecaster.backtest.days import ComparedDay, compare_days, worse_days
from forecaster.backtest.frontier import Frontier
from forecaster.backtest.matched import HEADLINE_TARGET, Matched, match
from forecaster.backtest.phrases import day_words, joined, percent, setting_words
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.replay import PolicyReplay

__all__ = ["Outcome", "Verdict", "give_verdict", "overall", "verdict"]

_LEAST_SLACK = 0.005  # as the frontier's ratios take it
_LEVEL = 0.02  # slack within 2 % of each other is no difference
_NAMED = 3


class Outcome(Enum):
    """Preroll, seen from the HPA."""

    BETTER = "better"
    LEVEL = "level"
    WORSE = "worse"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Verdict:
    """``headline`` first, then ``about_days``, ``ours`` and ``theirs`` are what both are about.

    ``target`` is the unserved ratio at which both were compared, None where each ran at a setting
    of its own. ``days`` are all days of the two; ``remarks`` are what has to be said beside it.
    There are no two where Preroll's best setting is the HPA alone.
    """

    outcome: Outcome
    headline: str
    about_days: str = ""
    target: float | None = None
    ours: PolicyReplay | None = None
    theirs: PolicyReplay | None = None
    days: tuple[ComparedDay, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, as sentences."""
        said = "; ".join(part for part in (self.headline, self.about_days) if part)
        return " ".join((f"{said}.", *self.remarks))


def verdict(proof: Proof) -> str:
    """One sentence a series; of more than three, how many came out how.

    From the frontier where there is one, else from the replays, else from the coverage alone.
    """
    timezone = proof.asked.timezone
    return overall({name: give_verdict(one, timezone) for name, one in proof.series.items()})


def overall(given: Mapping[str, Verdict]) -> str:
    """What the verdicts of all series, one at least, come to."""
    if len(given) == 1:
        return next(iter(given.values())).text
    if len(given) <= _NAMED:
        return "\n".join(f"{name}: {one.text}" for name, one in given.items())
    counts = Counter(one.outcome for one in given.values())
    unknown = counts.pop(Outcome.UNKNOWN, 0)
    if not counts:
        return f"{len(given)} series; Preroll and an HPA cannot be compared on any."
    told = joined([f"{one.value} on {counts[one]}" for one in Outcome if counts[one]])
    rest = f"; {unknown} cannot be compared" if unknown else ""
    return f"{len(given)} series; against an HPA Preroll is {told}{rest}."


def give_verdict(one: SeriesProof, timezone: str = "UTC") -> Verdict:
    """One series. Replays the frontier's two best settings again, to name the days."""
    ours, theirs = one.replays.get("preroll"), one.replays.get("hpa")
    if one.span is None:
        return Verdict(Outcome.UNKNOWN, f"Nothing was observed in the test; {_coverage(one)}")
    matched = match(one)
    if matched is not None:
        days = compare_days(one.span, one.settings, matched.ours, matched.theirs, timezone)
        return _at_equal_unserved(matched, days, _why_not_headline(one.frontier, matched.target))
    if ours is None:
        return Verdict(Outcome.UNKNOWN, f"Preroll was not replayed; {_coverage(one)}")
    if theirs is None:
        return Verdict(
            Outcome.UNKNOWN, f"Preroll left {_came_to(ours)}; no HPA was replayed", ours=ours
        )
    days = compare_days(one.span, one.settings, ours, theirs, timezone)
    return _as_replayed(ours, theirs, days, swept=one.frontier is not None)


def _at_equal_unserved(
    matched: Matched, days: tuple[ComparedDay, ...], remarks: tuple[str, ...]
) -> Verdict:
    own, other = matched.own.slack_ratio, matched.other.slack_ratio
    at, best = f"At {percent(matched.target)} unserved traffic", "an HPA at its best setting"
    if matched.own.setting.get("quantile") is None:
        core = (
            f"{at} Preroll is no better than {best} ({percent(other)} idle): "
            "every quantile that was tried cost more than it saved"
        )
        return Verdict(Outcome.LEVEL, core, target=matched.target, remarks=remarks)
    ratio = max(own, _LEAST_SLACK) / max(other, _LEAST_SLACK)
    change = f"{round(abs(1 - ratio) * 100)} %"
    idle = f"({percent(own)} idle instead of {percent(other)})"
    if abs(1 - ratio) < _LEVEL:
        outcome, core = Outcome.LEVEL, f"{at} Preroll is level with {best} {idle}"
    elif ratio < 1:
        outcome = Outcome.BETTER
        core = f"{at} Preroll runs {change} fewer idle replica-hours than {best} {idle}"
    else:
        outcome = Outcome.WORSE
        core = f"{at} Preroll runs {change} more idle replica-hours than {best} {idle}"
    return Verdict(
        outcome, core, _days(days), matched.target, matched.ours, matched.theirs, days, remarks
    )


def _as_replayed(
    ours: PolicyReplay, theirs: PolicyReplay, days: tuple[ComparedDay, ...], *, swept: bool
) -> Verdict:
    less_lost = _compare(ours.measures.unserved_ratio, theirs.measures.unserved_ratio, 1e-5)
    less_idle = _compare(ours.measures.slack_ratio, theirs.measures.slack_ratio, 0.001)
    outcome, words = _WORDS[(less_lost, less_idle)]
    said = (
        f"Preroll ({setting_words(ours.setting)}) left {_came_to(ours)}, an HPA "
        f"({setting_words(theirs.setting)}) {_came_to(theirs)}: {words}"
    )
    remark = (
        "Both reached no common target, so they are compared as they ran."
        if swept
        else "Each ran at a setting of its own; a frontier compares both at equal unserved traffic."
    )
    return Verdict(outcome, said, _days(days), None, ours, theirs, days, (remark,))


_WORDS = {
    (1, 1): (Outcome.BETTER, "less unserved and fewer idle replica-hours"),
    (1, 0): (Outcome.BETTER, "less unserved for the same idle replica-hours"),
    (0, 1): (Outcome.BETTER, "the same unserved for fewer idle replica-hours"),
    (0, 0): (Outcome.LEVEL, "no difference"),
    (1, -1): (Outcome.MIXED, "less unserved for more idle replica-hours"),
    (-1, 1): (Outcome.MIXED, "fewer idle replica-hours for more unserved"),
    (0, -1): (Outcome.WORSE, "Preroll is worse, with more idle replica-hours for no less unserved"),
    (-1, 0): (Outcome.WORSE, "Preroll is worse, with more unserved for no fewer replica-hours"),
    (-1, -1): (Outcome.WORSE, "Preroll is worse in both"),
}


def _compare(ours: float, theirs: float, noticeable: float) -> int:
    """1 where ours is smaller, −1 where it is larger, 0 where nobody would notice."""
    if abs(ours - theirs) < noticeable:
        return 0
    return 1 if ours < theirs else -1


def _why_not_headline(frontier: Frontier | None, target: float) -> tuple[str, ...]:
    """Why the comparison is not at 0.5 %; nothing where it is, or where 0.5 % was not tried."""
    rows = frontier.rows if frontier is not None and target != HEADLINE_TARGET else ()
    for row in rows:
        if row.unserved_ratio == HEADLINE_TARGET:
            reached = [name for name in ("preroll", "hpa") if row.slack(name) is not None]
            who = {"preroll": "Only Preroll reached", "hpa": "Only the HPA reached"}
            said = who[reached[0]] if reached else "Neither reached"
            return (f"{said} {percent(HEADLINE_TARGET)}.",)
    return ()


def _days(days: tuple[ComparedDay, ...]) -> str:
    worse = worse_days(days)
    of = f"{len(days)} day{'' if len(days) == 1 else 's'}"
    if not worse:
        return f"it left more unserved than the HPA on none of {of}"
    named = [
        f"{day_words(one.day)} ({percent(one.ours)} instead of {percent(one.theirs)})"
        for one in worse[:_NAMED]
    ]
    if len(worse) > _NAMED:
        return f"it left more unserved than the HPA on {len(worse)} of {of}, most on {named[0]}"
    return f"it left more unserved than the HPA on {len(worse)} of {of}: {joined(named)}"


def _came_to(replay: PolicyReplay) -> str:
    lost, idle = replay.measures.unserved_ratio, replay.measures.slack_ratio
    return f"{percent(lost)} of traffic unserved with {percent(idle)} idle replica-hours"


def _coverage(one: SeriesProof) -> str:
    quantile = max(one.scores.coverage)
    return (
        f"the lead peak stayed at or below its {quantile:g} quantile in "
        f"{percent(one.scores.coverage[quantile])} of {one.scores.windows:,} decisions"
    )
