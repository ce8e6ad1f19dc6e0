"""What a proof's page explains: its terms, and what was assumed."""

from __future__ import annotations

from forecaster.backtest.phrases import percent
from forecaster.backtest.proof import ProofSettings, SeriesProof
from forecaster.backtest.report import InputUnit
from forecaster.durations import format_duration
from forecaster.planning.limits import MOST_REPLICAS
from forecaster.plots.replay import traffic_words

__all__ = ["READING", "TERMS", "assumptions"]

TERMS = (
    ("unserved", "traffic above what the ready replicas can serve, as a share of all traffic"),
    (
        "slack, or idle replica-hours",
        "ready replica-hours beyond those of perfect foresight, as a share of these",
    ),
    (
        "perfect foresight",
        "exactly the replicas that each step needs, ready in time: nobody can do better",
    ),
    (
        "at equal unserved traffic",
        "every autoscaler can be made cheaper by leaving more traffic unserved. So each is given "
        "the setting, found with hindsight, that keeps unserved traffic below the same limit with "
        "the least slack; only then is slack compared",
    ),
    ("not reached", "none of the settings that were tried kept unserved traffic below the limit"),
    ("lead time", "from asking for a replica until it is ready"),
    ("lead peak", "the highest traffic within the lead time; Preroll forecasts it at every step"),
    (
        "quantile",
        "the risk that is planned for: the lead peak exceeds its 0.98 quantile in 2 % of decisions",
    ),
    ("coverage", "the share of decisions in which the lead peak stayed at or below the quantile"),
    ("outlook", "Preroll's day-ahead forecast, made without live traffic"),
    (
        "HPA",
        "Kubernetes' Horizontal Pod Autoscaler, which follows measured traffic; the policies named "
        "“+ HPA”, and Preroll, stand on one as well and set a floor under it",
    ),
)
"""Each term of the page, and what it means."""

READING = {
    "replay": "Top: traffic, what was forecast of it a day ahead (blue) and a lead time ahead "
    "(orange). Middle: replicas that were ready, against those needed (grey). Bottom: replicas "
    "missing. Choose a day, or drag over a stretch, to zoom in; double-click to see all again. A "
    "dot marks the days on which Preroll left more unserved than the HPA.",
    "frontier": "Left is less unserved, down is less idle: the lower line is the better policy. "
    "Lines are steps, because nothing is known between two settings that were tried. Where a "
    "floor gains nothing, its best setting is the HPA alone, and its line lies on the HPA's.",
    "calibration": "On the dashed line traffic exceeds the quantile as often as asked. Above it "
    "more often, and replicas are short; below it less often, and they are idle.",
}
"""How to read each figure."""


def assumptions(one: SeriesProof, asked: ProofSettings, unit: InputUnit) -> tuple[str, ...]:
    """What the replay took for granted, one sentence each."""
    settings, step = one.settings, one.series.step
    capacity = f"One replica serves {settings.capacity_rps * unit.per_rps:,.4g} "
    capacity += f"{traffic_words(unit, step)}, and no more"
    if asked.capacity_rps is None:
        capacity += "; nobody said how much, so the test's highest traffic needs 100 replicas"
    startup = (
        f"A replica is ready {format_duration(settings.lead_time)} after it was asked for"
        if not settings.startup_seconds
        else f"Start-up times are drawn from {len(settings.startup_seconds)} that were given"
    )
    band = (
        f"It ignores differences of up to {percent(settings.tolerance_ratio)}, its dead band"
        if settings.tolerance_ratio
        else "It has no dead band, which is kinder to it than most clusters are"
    )
    limits = f"At least {settings.min_replicas} replica{'s' if settings.min_replicas > 1 else ''}"
    if settings.max_replicas < MOST_REPLICAS:
        limits += f", at most {settings.max_replicas:,}"
    return (
        f"{capacity}.",
        f"{startup}, for every policy alike.",
        f"The same HPA stands under every policy, by Kubernetes' own rules, and looks every 15 s. "
        f"It sees the mean of the last whole step ({format_duration(step)}). {band}.",
        f"As they ran, the HPAs of the rivals aim at {percent(asked.utilisation)} of a replica's "
        "capacity, the one under Preroll at 100 %, because Preroll's floor speaks first; at equal "
        "unserved traffic every policy has the setting that suits it best.",
        "Preroll's models were trained anew once a day, on what had ended by then, and each "
        "decision used nothing later.",
        f"{limits}. Steps without an observation count nowhere.",
    )
