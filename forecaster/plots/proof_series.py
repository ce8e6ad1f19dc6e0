"""One series of a proof as a part of the page: its figures, its worst nights, its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from forecaster.backtest.days import ComparedDay, worse_days
from forecaster.backtest.phrases import day_words, percent, setting_words
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.verdict import Verdict
from forecaster.durations import format_duration
from forecaster.plots.frontier import frontier_figure
from forecaster.plots.peaks import peak_calibration_figure
from forecaster.plots.policies import policy_label
from forecaster.plots.proof_html import Zoom, figure_html, paragraphs, table_html
from forecaster.plots.proof_tables import (
    coverage_table,
    day_table,
    frontier_table,
    policy_table,
    settings_table,
    shortage_table,
)
from forecaster.plots.proof_words import READING
from forecaster.plots.replay import ForecastLines, replay_figure
from forecaster.plots.style import local_time

__all__ = ["series_html"]

_STRETCHES = 1500
_SHOWN_DAYS = 2
_AROUND = timedelta(minutes=90)


@dataclass(frozen=True, eq=False)
class _Part:
    """One series with its verdict and the two replays that its figures show."""

    proof: Proof
    one: SeriesProof
    span: ReplaySpan
    said: Verdict
    shown: Mapping[str, PolicyReplay]
    forecast: ForecastLines
    timezone: str
    prefix: str


def series_html(proof: Proof, name: str, said: Verdict, timezone: str, prefix: str) -> str:
    """All that is shown of one series; ``prefix`` begins the ids of its figures."""
    one = proof.series[name]
    sections = []
    if one.span is not None:
        shown = _shown(one, said)
        forecast = _forecast(proof, one, one.span, shown)
        part = _Part(proof, one, one.span, said, shown, forecast, timezone, prefix)
        if shown:
            sections += [_traffic(part), _nights(part), _shortages(part)]
        if one.frontier is not None:
            sections.append(_frontier(part))
        if one.replays:
            sections.append(_policies(one))
    sections.append(_calibration(one, prefix))
    return "\n".join(section for section in sections if section)


def _shown(one: SeriesProof, said: Verdict) -> dict[str, PolicyReplay]:
    """What the verdict is about; as they ran, where Preroll's best was to be the HPA alone."""
    pair = {"hpa": said.theirs, "preroll": said.ours}
    if said.ours is None or said.ours.name != "preroll":
        pair = {name: one.replays.get(name) for name in pair}
    return {name: replay for name, replay in pair.items() if replay is not None}


def _forecast(
    proof: Proof, one: SeriesProof, span: ReplaySpan, shown: Mapping[str, PolicyReplay]
) -> ForecastLines:
    quantile = proof.asked.quantile
    if "preroll" in shown:
        quantile = shown["preroll"].setting.get("quantile") or quantile
    report = proof.day_ahead
    found = report.series.get(one.series.series_id) if report is not None else None
    band = None
    levels = (0.1, 0.9)
    if report is not None and found is not None and {*levels} <= {*report.quantiles}:
        low, high = np.full(len(span), np.nan), np.full(len(span), np.nan)
        begin = span.series.start + span.first * span.series.step
        for origin in found.origins:
            at = (origin.cutoff - begin) // origin.step
            if origin.step != span.series.step or at < 0:
                continue
            until = min(len(span), at + len(origin.observed))
            for edge, level in ((low, levels[0]), (high, levels[1])):
                row = origin.forecasts[origin.quantiles.index(level)]
                edge[at:until] = row[: until - at] / report.unit.per_rps
        band = (low, high)
    return ForecastLines(
        quantile, one.decisions.at(quantile), one.decisions.median_rps, band, levels
    )


def _traffic(part: _Part) -> str:
    figure = replay_figure(
        part.span,
        part.one.settings,
        part.shown,
        part.forecast,
        unit=part.proof.unit,
        timezone=part.timezone,
        stretches=_STRETCHES,
    )
    step = part.span.series.step
    width = -(-len(part.span) // _STRETCHES)
    notes = [_who_is_shown(part), READING["replay"]]
    if len(part.span) > 2 * _STRETCHES:
        notes.append(
            f"Drawn are the lowest and the highest value of every {format_duration(width * step)}; "
            f"all figures and measures below come from every step of {format_duration(step)}."
        )
    return "\n".join(
        [
            "<h2>Traffic, and who ran how many replicas</h2>",
            paragraphs(notes),
            figure_html(
                f"{part.prefix}replay",
                figure,
                says="Traffic, ready replicas and missing replicas over the test",
                zooms=_zooms(part),
            ),
        ]
    )


def _who_is_shown(part: _Part) -> str:
    told = [
        f"{policy_label(name)}: {setting_words(one.setting)}" for name, one in part.shown.items()
    ]
    text = "; ".join(reversed(told))
    if part.said.target is not None and part.said.ours in part.shown.values():
        return f"Both at their best settings for {percent(part.said.target)} unserved. {text}."
    return f"As they ran. {text}."


def _zooms(part: _Part) -> list[Zoom]:
    worse = {one.day for one in part.said.days if one.worse}
    first = local_time(part.span.at(0.0), part.timezone).date()
    last = local_time(part.span.at(len(part.span) * part.span.step_seconds), part.timezone).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        (day_words(day), f"{day}T00:00", f"{day + timedelta(days=1)}T00:00", day in worse)
        for day in days
    ]


def _nights(part: _Part) -> str:
    worse = worse_days(part.said.days)
    parts = []
    if "hpa" in part.shown and part.said.days:
        parts.append("<h2>Where Preroll left more unserved than the HPA</h2>")
        if worse:
            parts.append(
                paragraphs([f"On {len(worse)} of {len(part.said.days)} days, worst first."])
            )
            parts.append(table_html(day_table(worse)))
        else:
            parts.append(paragraphs([f"On none of {len(part.said.days)} days."]))
    if "preroll" not in part.shown:
        return "\n".join(parts)
    for number, day in enumerate(
        worse[:_SHOWN_DAYS] if part.said.ours in part.shown.values() else ()
    ):
        begin, end, words = _worst_of(part, day)
        parts.append(_close_up(part, f"night-{number + 1}", words, begin, end))
    peak = part.span.at(float(np.nanargmax(part.span.rate_rps)) * part.span.step_seconds)
    local = local_time(peak, part.timezone)
    words = f"The highest traffic of the test: {day_words(local.date())}, {local:%H:%M}"
    parts.append(_close_up(part, "peak", words, peak - _AROUND, peak + _AROUND))
    return "\n".join(parts)


def _worst_of(part: _Part, day: ComparedDay) -> tuple[datetime, datetime, str]:
    """The stretch around the worst instant of a day: most missing compared with the HPA."""
    ours, theirs = part.shown["preroll"].short, part.shown["hpa"].short
    behind = np.where(_days_of(part) == day.day, np.nan_to_num(ours - theirs), -np.inf)
    worst = int(np.argmax(behind))
    instant = part.span.at(worst * part.span.step_seconds)
    local = local_time(instant, part.timezone)
    words = (
        f"{day_words(day.day)}, around {local:%H:%M}: {_count(ours[worst])} replicas missing, "
        f"with the HPA {_count(theirs[worst])}"
    )
    return instant - _AROUND, instant + _AROUND, words


def _count(replicas: float) -> str:
    return "less than 1" if 0 < replicas < 1 else f"{replicas:,.0f}"


def _days_of(part: _Part) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    step = part.span.series.step
    stamps = pd.date_range(part.span.at(0.0), periods=len(part.span), freq=step)
    days: np.ndarray[tuple[int], np.dtype[np.object_]] = stamps.tz_convert(part.timezone).date
    return days


def _close_up(part: _Part, name: str, words: str, begin: datetime, end: datetime) -> str:
    figure = replay_figure(
        part.span,
        part.one.settings,
        part.shown,
        part.forecast,
        within=(begin, end),
        unit=part.proof.unit,
        timezone=part.timezone,
    ).update_layout(height=560)
    return f"<h3>{words}</h3>\n" + figure_html(f"{part.prefix}{name}", figure, says=words)


def _shortages(part: _Part) -> str:
    table = shortage_table(part.shown.values(), part.span, part.timezone)
    if not table.rows:
        return "<h2>The worst shortages</h2>\n" + paragraphs(["There was none."])
    return "<h2>The worst shortages</h2>\n" + table_html(table, own="", words=(1,))


def _frontier(part: _Part) -> str:
    frontier = part.one.frontier
    if frontier is None:
        return ""
    parts = [
        "<h2>Slack at equal unserved traffic</h2>",
        paragraphs([READING["frontier"]]),
        figure_html(
            f"{part.prefix}frontier",
            frontier_figure(frontier),
            says="Slack against unserved traffic, one line a policy",
        ),
        table_html(frontier_table(frontier)),
    ]
    if part.said.target is not None:
        table = settings_table(frontier, part.said.target)
        parts += [f"<h3>{table.caption}</h3>", table_html(table, words=(1,))]
    return "\n".join(parts)


def _policies(one: SeriesProof) -> str:
    table = policy_table(one.replays)
    last = len(table.header) - 1
    notes = ["At the settings on the right, and so at different unserved traffic."]
    notes += [f"{policy_label(name)} is not there: {why}." for name, why in one.silent.items()]
    return "\n".join(
        ["<h2>Every policy as it ran</h2>", paragraphs(notes), table_html(table, words=(last,))]
    )


def _calibration(one: SeriesProof, prefix: str) -> str:
    return "\n".join(
        [
            "<h2>Does a quantile mean what it says?</h2>",
            paragraphs([READING["calibration"]]),
            figure_html(
                f"{prefix}calibration",
                peak_calibration_figure(one.scores),
                says="How often the lead peak exceeded its quantiles, against how often asked",
                legend=False,
            ),
            table_html(coverage_table(one.scores)),
        ]
    )
