"""One series of a proof as a part of the page: its figures and its tables."""

from __future__ import annotations

from datetime import timedelta

from forecaster.backtest.frontier import Frontier
from forecaster.backtest.phrases import day_words, percent, setting_words
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.verdict import Verdict
from forecaster.durations import format_duration
from forecaster.plots.frontier import frontier_figure, not_reached
from forecaster.plots.peaks import peak_calibration_figure
from forecaster.plots.policies import policy_label
from forecaster.plots.proof_html import Zoom, as_html, figure_html, paragraphs, table_html
from forecaster.plots.proof_nights import nights_html, shortages_html
from forecaster.plots.proof_part import ProofPart, proof_part
from forecaster.plots.proof_tables import (
    coverage_table,
    frontier_table,
    policy_table,
    settings_table,
)
from forecaster.plots.proof_words import READING
from forecaster.plots.replay import replay_figure
from forecaster.plots.style import local_time

__all__ = ["series_html"]

_STRETCHES = 1500


def series_html(proof: Proof, name: str, said: Verdict, timezone: str, prefix: str) -> str:
    """All that is shown of one series; ``prefix`` begins the ids of its figures."""
    one = proof.series[name]
    part = proof_part(proof, name, said, timezone, prefix)
    sections = []
    if part is not None and part.shown:
        sections += [_traffic(part), nights_html(part), shortages_html(part)]
    if one.frontier is not None:
        sections.append(_frontier(one.frontier, said.target, prefix))
    if one.replays:
        sections.append(_policies(one))
    sections.append(_calibration(one, prefix))
    return "\n".join(sections)


def _traffic(part: ProofPart) -> str:
    figure = replay_figure(
        part.span,
        part.one.settings,
        part.shown,
        part.forecast,
        events=part.events,
        unit=part.unit,
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


def _who_is_shown(part: ProofPart) -> str:
    told = [
        f"{policy_label(name)}: {setting_words(one.setting)}" for name, one in part.shown.items()
    ]
    text = "; ".join(reversed(told))
    if part.target is not None:
        return f"Both at their best settings for {percent(part.target)} unserved. {text}."
    return f"As they ran. {text}."


def _zooms(part: ProofPart) -> list[Zoom]:
    worse = {one.day for one in part.days if one.worse}
    first = local_time(part.span.at(0.0), part.timezone).date()
    last = local_time(part.span.series.end - part.span.series.step, part.timezone).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        (day_words(day), f"{day}T00:00", f"{day + timedelta(days=1)}T00:00", day in worse)
        for day in days
    ]


def _frontier(frontier: Frontier, target: float | None, prefix: str) -> str:
    parts = [
        "<h2>Slack at equal unserved traffic</h2>",
        paragraphs([READING["frontier"]]),
        figure_html(
            f"{prefix}frontier",
            frontier_figure(frontier).update_layout(annotations=[], height=440),
            says="Slack against unserved traffic, one line a policy",
        ),
        paragraphs(not_reached(frontier)),
        table_html(frontier_table(frontier)),
    ]
    if target is not None:
        table = settings_table(frontier, target)
        parts += [
            f"<h3>{as_html(table.caption)}</h3>",
            table_html(table, words=(1,)),
        ]
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
