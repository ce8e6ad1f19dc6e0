"""A replayed night on the terminal: the verdict, charts, a row every few minutes, a summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forecaster.backtest import PolicyReplay
from forecaster.backtest.night import NightReplay
from forecaster.backtest.phrases import percent
from forecaster.cli.chart import column_chart, compact_number, per_column, time_axis
from forecaster.cli.replay_words import how_long, notes, verdict, window_words
from forecaster.plots import PageTable

__all__ = ["replay_report", "summary_table"]

_MOST_ROWS = 40
_MOST_CHARTS = 2
_MOST_WIDE = 3  # policies that fit beside each other with all that there is to say
_PACES = tuple(
    timedelta(minutes=one) for one in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
)
_ROWS_ARE = (
    "A row is the step that begins then: replicas asked for / ready. Red: how long too few were "
    "ready until the next row, and the share of its traffic that was not served."
)


def replay_report(replay: NightReplay, every: timedelta | None, width: int) -> Group:
    """What a person reads; a table row ``every`` so often, or so that there are 40 at most."""
    headline, *rest = (verdict(replay), *notes(replay))
    parts: list[RenderableType] = [
        Text(window_words(replay), style="bold"),
        Text(headline),
        *(Padding(Text(line, style="dim"), (0, 0, 0, 2)) for line in rest),
        Text(""),
        _charts(replay, width),
        Text(""),
        _steps(replay, _per_row(replay, every)),
        Text(_ROWS_ARE, style="dim"),
        Text(""),
        _terminal_table(summary_table(replay, several=False)),
    ]
    return Group(*parts)


def summary_table(replay: NightReplay, *, several: bool) -> PageTable:
    """Each policy's measures over the window; the caption names the workload among ``several``."""
    priced = replay.night.settings.price_per_replica_hour is not None
    header = ["", "unserved", "short", "longest", "replica-hours", "idle", "changes"]
    rows = []
    for one in replay.policies:
        measures = one.measures
        row = [
            one.name,
            percent(measures.unserved_ratio),
            how_long(measures.underprovisioned_seconds),
            how_long(measures.longest_shortage_seconds),
            f"{measures.replica_hours:,.1f}",
            percent(measures.slack_ratio),
            f"{measures.scaling_actions}",
        ]
        rows.append([*row, f"{measures.cost:,.2f}"] if measures.cost is not None else row)
    name = f"{replay.night.series.series_id}: " if several else ""
    caption = f"{name}idle is replica-hours beyond the {_hours(replay)} that were needed"
    return PageTable(caption, [*header, "cost"] if priced else header, rows)


def _hours(replay: NightReplay) -> str:
    return f"{replay.oracle.measures.replica_hours:,.1f}"


def _per_row(replay: NightReplay, every: timedelta | None) -> int:
    """Steps between two rows."""
    step, steps = replay.night.series.step, len(replay.span)
    if every is not None:
        return max(1, -(-every // step))
    for pace in _PACES:
        if pace >= step and steps * step / pace <= _MOST_ROWS:
            return -(-pace // step)
    return -(-steps // _MOST_ROWS)


def _steps(replay: NightReplay, per_row: int) -> Table:
    night = replay.night
    zone, step = ZoneInfo(night.timezone), night.series.step
    shown = [one for one in replay.policies if one.name != "oracle"]
    preroll = replay.policy("preroll") is not None
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    wide = len(shown) <= _MOST_WIDE
    table.add_column(f"time ({zone.key})" if wide else "time", no_wrap=True)
    for name in ("rps", *(["lead peak"] if preroll else []), "needed"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in shown:
        table.add_column(one.name)
    edges = [*range(0, len(replay.span), per_row), len(replay.span)]
    day = None
    for first, last in pairwise(edges):
        at = (night.start + first * step).astimezone(zone)
        rate = float(replay.span.rate_rps[first])
        told = compact_number(float(replay.lead_peak_rps[first]))
        if day not in (None, at.date()):
            table.add_row(Text(f"{at:%a} {at.day} {at:%b}", style="dim"))
        table.add_row(
            f"{at:%H:%M:%S}" if step % timedelta(minutes=1) else f"{at:%H:%M}",
            "–" if np.isnan(rate) else compact_number(rate),
            *([told if replay.live[first] else f"{told} outlook"] if preroll else []),
            f"{replay.needed[first]}",
            *(_cell(replay, one, first, last, wide=wide) for one in shown),
        )
        day = at.date()
    return table


def _cell(replay: NightReplay, one: PolicyReplay, first: int, last: int, *, wide: bool) -> Text:
    text = Text(f"{_count(one.asked[first])} / {_count(one.ready[first])}")
    if not wide:
        text = Text(f"{one.asked[first]:.0f}/{one.ready[first]:.0f}")
    start, end = (replay.night.start + n * replay.night.series.step for n in (first, last))
    seconds = sum(_overlap(short.start, short.end, start, end) for short in one.shortages)
    if seconds > 0:
        needed = replay.night.settings.needed(replay.span.rate_rps[first:last])
        lost = float(np.nansum(one.short[first:last])) / float(np.nansum(needed))
        share = f" {percent(lost)}" if wide else ""
        text.append(f" {how_long(seconds)}{share}", style="bold red")
    return text


def _overlap(start: datetime, end: datetime, first: datetime, last: datetime) -> float:
    return max((min(end, last) - max(start, first)).total_seconds(), 0.0)


def _count(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _charts(replay: NightReplay, width: int) -> Group:
    night, steps = replay.night, len(replay.span)
    zone, span = ZoneInfo(night.timezone), night.end - night.start
    columns = min(max(24, min(90, (width - 16) // 6 * 6)), steps)
    traffic = per_column(np.nan_to_num(replay.span.rate_rps), columns, peak=True)
    lines: list[RenderableType] = []
    if replay.policy("preroll") is None:
        lines += [Text("Traffic, rps", style="bold"), *column_chart(traffic, 6, colour="blue")]
    else:
        peak = per_column(replay.lead_peak_rps, columns, peak=True)
        lines += [
            Text.assemble(
                ("Traffic, rps: ", "bold"),
                ("█", "blue"),
                " came true  ",
                ("░", "blue dim"),
                f" lead peak, {night.quantile!r} quantile",
            ),
            *column_chart(traffic, 6, colour="blue", above=peak),
        ]
    for one in _charted(replay):
        ready = -per_column(-one.ready, columns, peak=True)  # the fewest of each column
        short = np.where(one.short > 0, replay.needed, 0.0)
        needed = np.maximum(per_column(short, columns, peak=True), ready)
        lines += [
            Text(""),
            Text.assemble(
                (f"{one.name}, replicas: ", "bold"),
                ("█", "green"),
                " ready  ",
                ("░", "red"),
                " missing",
            ),
            *column_chart(ready, 5, colour="green", above=needed, shade_style="red"),
        ]
    return Group(*lines, *time_axis(night.start, span, columns, zone, _tick(span)))


def _charted(replay: NightReplay) -> Sequence[PolicyReplay]:
    both = [one for one in (replay.policy("hpa"), replay.policy("preroll")) if one is not None]
    return both or [one for one in replay.policies if one.name != "oracle"][:_MOST_CHARTS]


def _tick(span: timedelta) -> timedelta:
    """Six to twelve ticks, as far as there is a round number."""
    return next(
        (one for one in _PACES if span / one <= 12 and not timedelta(days=1) % one),
        timedelta(days=1),
    )


def _terminal_table(table: PageTable) -> Group:
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(table.header):
        drawn.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return Group(drawn, Text(table.caption, style="dim"))
