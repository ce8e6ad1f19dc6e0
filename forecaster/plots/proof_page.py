"""A proof as one HTML file that a manager can read: the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from forecaster.backtest.phrases import day_words, percent
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.verdict import Verdict, give_verdict, overall
from forecaster.durations import format_duration
from forecaster.plots.page import PageTable
from forecaster.plots.proof_html import as_html, document, list_html, paragraphs, table_html
from forecaster.plots.proof_series import series_html
from forecaster.plots.proof_tables import day_ahead_table, lasted
from forecaster.plots.proof_words import TERMS, assumptions
from forecaster.plots.style import local_time

__all__ = ["proof_page"]

_SHOWN_SERIES = 3
_LISTED_SERIES = 30
_LONG_HEADLINE = 150


def proof_page(proof: Proof, *, title: str, timezone: str | None = None) -> str:
    """The page; it holds plotly's script (5 MB) and fetches nothing.

    The largest three series are shown whole, up to thirty in a table. Clocks and days are those of
    ``timezone``, the proof's own where there is none.
    """
    zone = timezone or proof.asked.timezone
    given = {name: give_verdict(one, zone) for name, one in proof.series.items()}
    largest = sorted(proof.series, key=lambda name: -_volume(proof.series[name]))
    several = len(proof.series) > 1
    parts = [f"<h1>{escape(title)}</h1>", paragraphs([_about(proof, zone)], "under")]
    if several:
        parts += [
            _overall(proof, given),
            "<h2>Each series</h2>",
            table_html(_series_table(given, largest), own="", words=(1,)),
        ]
    for number, name in enumerate(largest[:_SHOWN_SERIES]):
        if several:
            parts.append(f'<h2 class="series">{escape(name)}</h2>')
        parts += [
            _verdict(given[name]),
            _tiles(given[name]),
            series_html(proof, name, given[name], zone, f"s{number + 1}-" if several else ""),
        ]
    if proof.day_ahead is not None:
        parts += [
            "<h2>The outlook, a day ahead</h2>",
            paragraphs(
                [
                    "Errors of forecasts made once a day for the next 24 hours. WAPE: the sum of "
                    "absolute errors over the sum of traffic. MASE: errors relative to those of "
                    "the seasonal naive before the test."
                ]
            ),
            table_html(day_ahead_table(proof.day_ahead), own="outlook"),
        ]
    terms = "\n".join(f"<dt>{as_html(term)}</dt><dd>{as_html(text)}.</dd>" for term, text in TERMS)
    parts += ["<h2>How to read this</h2>", f'<dl class="terms">\n{terms}\n</dl>']
    parts += [
        "<h2>What was assumed</h2>",
        list_html(assumptions(proof.series[largest[0]], proof.asked, proof.unit)),
    ]
    notices = [
        *proof.notices,
        *(f"{name} is left out: {why}" for name, why in proof.left_out.items()),
    ]
    if notices:
        parts += ["<h2>What else to know</h2>", list_html(notices)]
    return document(title, "\n".join(parts))


def _about(proof: Proof, zone: str) -> str:
    starts = [one.decisions.start for one in proof.series.values()]
    ends = [one.series.end - one.series.step for one in proof.series.values()]
    first, last = local_time(min(starts), zone), local_time(max(ends), zone)
    series = f"{len(proof.series)} series" if len(proof.series) > 1 else next(iter(proof.series))
    return (
        f"{series}, {day_words(first.date())} to {day_words(last.date())} {last.year}, steps of "
        f"{format_duration(proof.step)}, lead time {format_duration(proof.asked.lead_time)}, "
        f"clocks of {zone}"
    )


def _verdict(said: Verdict) -> str:
    long = " long" if len(said.headline) > _LONG_HEADLINE else ""
    parts = [f'<p class="headline{long}">{as_html(_capital(said.headline))}.</p>']
    rest = [f"{_capital(said.about_days)}."] if said.about_days else []
    parts.append(paragraphs([*rest, *said.remarks]))
    return f'<div class="verdict {said.outcome.value}">\n' + "\n".join(parts) + "\n</div>"


def _overall(proof: Proof, given: Mapping[str, Verdict]) -> str:
    first, *named = overall(proof, given).split("\n")
    parts = [f'<p class="headline long">{as_html(first)}</p>', paragraphs(named)]
    return '<div class="verdict">\n' + "\n".join(parts) + "\n</div>"


def _tiles(said: Verdict) -> str:
    """Four figures of Preroll, the HPA's beside them."""
    ours, theirs = said.ours, said.theirs
    if ours is None or theirs is None or ours.name == "hpa":
        return ""
    own, other = ours.measures, theirs.measures
    tiles = [
        ("slack: idle replica-hours", percent(own.slack_ratio), percent(other.slack_ratio)),
        ("replica-hours", f"{own.replica_hours:,.0f}", f"{other.replica_hours:,.0f}"),
        ("unserved traffic", percent(own.unserved_ratio), percent(other.unserved_ratio)),
        (
            "time short of replicas",
            lasted(own.underprovisioned_seconds),
            lasted(other.underprovisioned_seconds),
        ),
    ]
    if own.cost is not None and other.cost is not None:
        tiles[1] = ("cost", f"{own.cost:,.2f}", f"{other.cost:,.2f}")
    cells = "\n".join(
        f"<div><dt>{as_html(name)}</dt><dd>{as_html(mine)}"
        f"<small>HPA: {as_html(hpas)}</small></dd></div>"
        for name, mine, hpas in tiles
    )
    return f'<dl class="tiles">\n{cells}\n</dl>'


def _series_table(given: Mapping[str, Verdict], largest: list[str]) -> PageTable:
    rows = []
    for name in largest[:_LISTED_SERIES]:
        said = given[name]
        pair = (said.ours, said.theirs)
        slacks = [percent(one.measures.slack_ratio) if one else "–" for one in pair]
        lost = [percent(one.measures.unserved_ratio) if one else "–" for one in pair]
        rows.append([name, said.outcome.value, *slacks, *lost])
    header = ["series", "Preroll is", "slack", "HPA's", "unserved", "HPA's"]
    more = len(largest) - len(rows)
    return PageTable(
        "Each series" + (f", {more} more are not listed" if more else ""), header, rows
    )


def _volume(one: SeriesProof) -> float:
    return 0.0 if one.span is None else float(np.nansum(one.span.rate_rps))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
