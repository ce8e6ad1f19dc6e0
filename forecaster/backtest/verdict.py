"""What a proof comes to, in words that a manager can read.

Nothing is claimed that was not reached: a target counts where a setting that was tried came to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from weakref import WeakKeyDictionary

from forecaster.backtest.days import ComparedDay, compare_days, worse_days
from forecaster.backtest.frontier import Frontier
from forecaster.backtest.matched import HEADLINE_TARGET, Matched, distance, match
from forecaster.backtest.phrases import day_words, joined, percent, setting_words
from forecaster.backtest.pooled import pooled_frontier
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.replay import PolicyReplay

__all__ = ["Outcome", "Verdict", "give_verdict", "overall", "verdict"]

_LEAST_SLACK = 0.005  # as the frontier's ratios take it
_LEVEL = 0.02  # slack within 2 % of each other is no difference
_NAMED = 3
_BEST = "an HPA at its best setting"
_NO_IDLE = "no idle replica-hours"


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
    """Of one series its verdict; of several what they come to together.

    From the frontier where there is one, else from the replays, else from the coverage alone.
    """
    timezone = proof.asked.timezone
    return overall(proof, {name: give_verdict(one, timezone) for name, one in proof.series.items()})


def overall(proof: Proof, given: Mapping[str, Verdict]) -> str:
    """What the verdicts of all series come to; several are taken together, few also named."""
    if len(given) == 1:
        return next(iter(given.values())).text
    lines = [" ".join([*_together(proof), _counted(given)])]
    if len(given) <= _NAMED:
        lines += [f"{name}: {one.text}" for name, one in given.items()]
    return "\n".join(lines)


def _together(proof: Proof) -> tuple[str, ...]:
    """Of a frontier: the target nearest to 0.5 % that both reached, all series added up."""
    both = [
        (row, own, other)
        for row in pooled_frontier(proof)
        if (own := row.slack.get("preroll")) is not None
        and (other := row.slack.get("hpa")) is not None
    ]
    if not both:
        return ()
    row, own, other = min(both, key=lambda one: distance(one[0].unserved_ratio))
    _, core = _weighed(row.unserved_ratio, own, other)
    every = len(proof.series)
    on = f"{every} series" if row.series == every else f"the {row.series} of {every} series where "
    on += "" if row.series == every else "an HPA comes to that"
    return (f"{core}, over {on}, each policy at its best on each.",)


def _counted(given: Mapping[str, Verdict]) -> str:
    counts = Counter(one.outcome for one in given.values())
    unknown = counts.pop(Outcome.UNKNOWN, 0)
    if not counts:
        return f"On none of {len(given)} series can Preroll and an HPA be compared."
    told = joined([f"{one.value} on {counts[one]}" for one in Outcome if counts[one]])
    rest = f"; {unknown} cannot be compared" if unknown else ""
    return f"Of {len(given)} series Preroll is {told}{rest}."


_GIVEN: WeakKeyDictionary[SeriesProof, dict[str, Verdict]] = WeakKeyDictionary()


def give_verdict(one: SeriesProof, timezone: str = "UTC") -> Verdict:
    """One series. Replays the frontier's two best settings again, to name the days.

    A series' verdict is made once, however often it is asked for: replays take their time.
    """
    given = _GIVEN.setdefault(one, {})
    if timezone not in given:
        given[timezone] = _judge(one, timezone)
    return given[timezone]


def _judge(one: SeriesProof, timezone: str) -> Verdict:
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
    if matched.own.setting.get("quantile") is None:
        core = (
            f"At {percent(matched.target)} unserved traffic Preroll is no better than {_BEST} "
            f"({_idle(other)}): every quantile that was tried cost more than it saved"
        )
        return Verdict(Outcome.LEVEL, core, target=matched.target, remarks=remarks)
    outcome, core = _weighed(matched.target, own, other)
    return Verdict(
        outcome, core, _days(days), matched.target, matched.ours, matched.theirs, days, remarks
    )


def _weighed(target: float, own: float, other: float) -> tuple[Outcome, str]:
    """Preroll's slack and the HPA's at one target; below 0.5 % they are taken as 0.5 %."""
    at, idle = f"At {percent(target)} unserved traffic", f"({_instead(own, other)})"
    ratio = max(own, _LEAST_SLACK) / max(other, _LEAST_SLACK)
    if abs(1 - ratio) < _LEVEL:
        return Outcome.LEVEL, f"{at} Preroll is level with {_BEST} {idle}"
    outcome, side = (Outcome.BETTER, "fewer") if ratio < 1 else (Outcome.WORSE, "more")
    if own <= 0:
        return outcome, f"{at} Preroll has {_NO_IDLE}, {_BEST} has {percent(other)}"
    change = f"{round(abs(1 - ratio) * 100)} %"
    return outcome, f"{at} Preroll runs {change} {side} idle replica-hours than {_BEST} {idle}"


def _idle(slack: float) -> str:
    """Slack in words: below 0, where traffic was left unserved, nothing is idle either."""
    return _NO_IDLE if slack <= 0 else f"{percent(slack)} idle"


def _instead(own: float, other: float) -> str:
    if own <= 0 and other <= 0:
        return f"both with {_NO_IDLE}"
    if other <= 0:
        return f"{_idle(own)} instead of none"
    return f"{_idle(own)} instead of {percent(other)}"


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
    hours = _NO_IDLE if idle <= 0 else f"{percent(idle)} idle replica-hours"
    return f"{percent(lost)} of traffic unserved with {hours}"


def _coverage(one: SeriesProof) -> str:
    quantile = max(one.scores.coverage)
    return (
        f"the lead peak stayed at or below its {quantile:g} quantile in "
        f"{percent(one.scores.coverage[quantile])} of {one.scores.windows:,} decisions"
    )
