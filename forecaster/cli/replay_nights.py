"""From traffic and rules to nights, or to the reason why there is none and which there could be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from forecaster.cli.replay_rules import NightRule
from forecaster.cli.terminal import print_notice
from forecaster.cli.traffic_input import TrafficInput
from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort

if TYPE_CHECKING:
    from forecaster.backtest.night import Night
    from forecaster.settings import Fleet
    from forecaster.traffic.history import TrafficSeries

__all__ = ["local_text", "make_nights"]


def make_nights(
    traffic: TrafficInput,
    rules: dict[str, NightRule],
    start: datetime,
    window: timedelta,
    zone: ZoneInfo,
    fleet: Fleet | None,
) -> list[Night]:
    """The night of each workload of ``rules``.

    One that cannot be replayed is left out with a notice; BadParameter where nothing is left.
    ``fleet`` has how often it is trained, and on how much; None for the usual.
    """
    from forecaster.backtest import ReplaySpan

    nights, refused = [], {}
    for name, rule in rules.items():
        if name not in traffic.history.ids:
            refused[name] = f"{traffic.place} has no traffic of {name}"
            continue
        series = traffic.history[name]
        why = _out_of_bounds(series, rule, start, window, zone)
        if why:
            refused[name] = why
            continue
        try:
            night = rule.night(series, start, window, zone, fleet)
            ReplaySpan(night.series, night.start)
        except HistoryTooShort as error:
            refused[name] = str(error)
        else:
            nights.append(night)
    if not nights:
        raise typer.BadParameter("; ".join(refused.values()), param_hint="--at")
    for name, why in refused.items():
        print_notice(f"{name} is left out: {why}")
    return nights


def _out_of_bounds(
    series: TrafficSeries, rule: NightRule, start: datetime, window: timedelta, zone: ZoneInfo
) -> str:
    """Why there is no such window, and which there are; empty where there is."""
    bounds = rule.bounds(series, window)
    if bounds is not None and bounds[0] <= start < bounds[1] + series.step:
        return ""
    told = (
        f"{series.series_id} has traffic from {local_text(series.start, zone)} to "
        f"{local_text(series.end, zone)} ({zone.key})"
    )
    before = f"a day to learn from, {format_duration(rule.run_in(series.step))} to run in"
    if bounds is None:
        return f"{told}; that is too short for {before} and a --window of {format_duration(window)}"
    return (
        f"{local_text(start, zone)} cannot be replayed: {told}. With {before} and a --window of "
        f"{format_duration(window)}, --at may lie from {local_text(bounds[0], zone)} to "
        f"{local_text(bounds[1], zone)}"
    )


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """To the minute, by the clock of the zone, as ``--at`` takes it."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
