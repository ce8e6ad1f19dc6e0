"""The nights of a series on which Preroll was worse, its peak, and the worst shortages."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape

import numpy as np
import pandas as pd

from forecaster.backtest.days import ComparedDay, worse_days
from forecaster.backtest.phrases import day_words
from forecaster.plots.proof_html import figure_html, paragraphs, table_html
from forecaster.plots.proof_part import ProofPart
from forecaster.plots.proof_tables import day_table, shortage_table
from forecaster.plots.replay import replay_figure
from forecaster.plots.style import local_time

__all__ = ["nights_html", "shortages_html"]

_SHOWN_DAYS = 2
_AROUND = timedelta(minutes=90)


def nights_html(part: ProofPart) -> str:
    """The days on which Preroll left more unserved than the HPA, and some of them closely."""
    worse = worse_days(part.days)
    parts = []
    if part.days:
        parts.append("<h2>Where Preroll left more unserved than the HPA</h2>")
        many = f"{len(worse)} of {len(part.days)}" if worse else f"none of {len(part.days)}"
        how = "" if part.target is not None else ", as they ran and so with different slack"
        parts.append(paragraphs([f"On {many} days{how}{'; the worst first' if worse else ''}."]))
    if worse:
        parts.append(table_html(day_table(worse)))
    for number, day in enumerate(worse[:_SHOWN_DAYS]):
        instant, words = _worst_of(part, day)
        parts.append(_close_up(part, f"night-{number + 1}", words, instant))
    peak = part.span.at(float(np.nanargmax(part.span.rate_rps)) * part.span.step_seconds)
    local = local_time(peak, part.timezone)
    words = f"The highest traffic of the test: {day_words(local.date())}, {local:%H:%M}"
    parts.append(_close_up(part, "peak", words, peak))
    return "\n".join(parts)


def shortages_html(part: ProofPart) -> str:
    """The worst shortages of the two."""
    table = shortage_table(part.shown.values(), part.span, part.timezone)
    found = table_html(table, own="", words=(1,)) if table.rows else paragraphs(["There was none."])
    return f"<h2>The worst shortages</h2>\n{found}"


def _worst_of(part: ProofPart, day: ComparedDay) -> tuple[datetime, str]:
    """The instant of a day at which Preroll missed most more than the HPA did."""
    ours, theirs = part.shown["preroll"].short, part.shown["hpa"].short
    behind = np.where(_days_of(part) == day.day, np.nan_to_num(ours - theirs), -np.inf)
    worst = int(np.argmax(behind))
    instant = part.span.at(worst * part.span.step_seconds)
    local = local_time(instant, part.timezone)
    words = (
        f"{day_words(day.day)}, around {local:%H:%M}: {_count(ours[worst])} replicas missing, "
        f"with the HPA {_count(theirs[worst])}"
    )
    return instant, words


def _count(replicas: float) -> str:
    return "less than 1" if 0 < replicas < 1 else f"{replicas:,.0f}"


def _days_of(part: ProofPart) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    step = part.span.series.step
    stamps = pd.date_range(part.span.at(0.0), periods=len(part.span), freq=step)
    days: np.ndarray[tuple[int], np.dtype[np.object_]] = stamps.tz_convert(part.timezone).date
    return days


def _close_up(part: ProofPart, name: str, words: str, instant: datetime) -> str:
    figure = replay_figure(
        part.span,
        part.one.settings,
        part.shown,
        part.forecast,
        within=(instant - _AROUND, instant + _AROUND),
        events=part.events,
        unit=part.unit,
        timezone=part.timezone,
    ).update_layout(height=560)
    drawn = figure_html(f"{part.prefix}{name}", figure, says=words)
    return f"<h3>{escape(words)}</h3>\n{drawn}"
