"""The outlook's day-ahead scores for people: tables for the terminal."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.backtest import BacktestReport
from forecaster.backtest.scores import OutlookScores
from forecaster.durations import format_duration
from forecaster.plots import PageTable

__all__ = ["backtest_report", "terminal_table"]

_LABELS = {"SeasonalNaive": "SeasonalNaive (zoo, 1h)"}  # ours, seasonal_naive, keeps the step
_TERMS = (
    "WAPE: sum of absolute errors over sum of traffic. MASE: error relative to that of the "
    "seasonal naive before the test. Coverage: best where it is the quantile itself."
)
_MOST_SERIES = 20


def backtest_report(report: BacktestReport) -> Group:
    """The verdict in a sentence, then the tables."""
    parts: list[RenderableType] = [Text(_verdict(report))]
    for table in _tables(report):
        parts += [Text(""), Text(table.caption, style="bold"), terminal_table(table)]
    return Group(*parts, Text(""), Text(_TERMS, style="dim"))


def _tables(report: BacktestReport) -> list[PageTable]:
    tables = [_rivals(report.outlook), _calibration(report.outlook)]
    if len(report.series) > 1:
        tables.append(_series(report))
    return tables


def _verdict(report: BacktestReport) -> str:
    outlook = report.outlook
    models = ", ".join(
        f"{name} ×{count}"
        for name, count in sorted(outlook.models.items(), key=lambda one: -one[1])
    )
    series = f"{len(report.series)} series, " if len(report.series) > 1 else ""
    origins = f"{outlook.origins} origin{'' if outlook.origins == 1 else 's'}"
    text = (
        f"{series}{origins}, {outlook.observed_steps:,} observed steps of "
        f"{format_duration(report.step)}. Models: {models}.\n"
        f"Day-ahead WAPE {_percent(outlook.wape)}, MASE {_ratio(outlook.mase)}, pinball loss "
        f"{_number(outlook.pinball)} {report.unit.label}"
    )
    naive = outlook.baselines.get("seasonal_naive")
    if naive and naive.wape > 0:
        change = outlook.wape / naive.wape - 1
        side = "below" if change < 0 else "above"
        text += f"; {abs(change):.0%} {side} the seasonal naive WAPE of {_percent(naive.wape)}"
    return f"{text}."


def _rivals(outlook: OutlookScores) -> PageTable:
    blocks = list(outlook.by_horizon)
    rows = [
        ["outlook", _percent(outlook.wape), _ratio(outlook.mase)]
        + [_percent(outlook.by_horizon[block].wape) for block in blocks]
    ]
    for name, one in sorted(outlook.baselines.items(), key=lambda item: _last(item[1].wape)):
        label = _LABELS.get(name, name)
        if one.origins < outlook.origins:
            label += f" ({one.origins} of {outlook.origins} origins)"
        rows.append(
            [label, _percent(one.wape), _ratio(one.mase)]
            + [_percent(one.by_horizon.get(block, math.nan)) for block in blocks]
        )
    header = ["", "WAPE", "MASE", *(block.replace("-", "–") for block in blocks)]
    return PageTable("Day-ahead accuracy; the last columns are WAPE by time ahead", header, rows)


def _calibration(outlook: OutlookScores) -> PageTable:
    rows = [["all", *(_share(value) for value in outlook.coverage.values())]]
    for block, one in outlook.by_horizon.items():
        rows.append([block.replace("-", "–"), *(_share(value) for value in one.coverage.values())])
    header = ["quantile", *(repr(float(q)) for q in outlook.coverage)]
    return PageTable("Coverage: the share of steps at or below each quantile", header, rows)


def _series(report: BacktestReport) -> PageTable:
    largest = sorted(report.series.items(), key=lambda item: -item[1].volume)
    rows = [
        [
            name,
            _percent(one.scores.wape),
            _ratio(one.scores.mase),
            _percent(one.scores.baselines["seasonal_naive"].wape)
            if "seasonal_naive" in one.scores.baselines
            else "–",
            one.scores.model,
        ]
        for name, one in largest[:_MOST_SERIES]
    ]
    caption = "Each series"
    if len(largest) > _MOST_SERIES:
        caption = f"The {_MOST_SERIES} largest of {len(largest)} series; all are in the JSON"
    return PageTable(caption, ["series", "WAPE", "MASE", "seasonal naive", "model"], rows)


def terminal_table(table: PageTable) -> Table:
    """A table of text without lines; its caption is left to the caller."""
    drawn = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    for number, name in enumerate(table.header):
        drawn.add_column(name, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for number, row in enumerate(table.rows):
        drawn.add_row(*(Text(cell) for cell in row), style="bold" if number == 0 else "")
    return drawn


def _percent(value: float) -> str:
    return f"{value:.1%}" if math.isfinite(value) else "–"


def _share(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _last(value: float) -> float:
    return value if math.isfinite(value) else math.inf
