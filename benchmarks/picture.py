"""The README's pictures: one real match evening foretold at noon, and the same evening replayed.

Both are figures of ``forecaster.plots``; Chromium draws them, through kaleido.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import plotly.graph_objects as go

from forecaster.backtest.night import Night, night_tasks, replay_night, work_night
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.models import OutlookConfig, train_outlook
from forecaster.planning import ScalingRule, build_plan
from forecaster.plots import EventSpan, outlook_figure
from forecaster.plots.night import night_figure
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history, sample_matches

NOON = datetime(1998, 6, 18, 12, 0, tzinfo=UTC)
RULE = ScalingRule(capacity_rps=50.0, lead_time=timedelta(minutes=5), quantile=0.9)
WIDTH = 1200


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m benchmarks.picture docs")
    folder = Path(sys.argv[1])
    series = next(iter(sample_history()))
    for name, figure, height in (
        ("match-evening.png", evening(series), 640),
        ("match-night.png", night(series), 760),
    ):
        figure.write_image(folder / name, width=WIDTH, height=height)
        print(f"{folder / name}: {(folder / name).stat().st_size} bytes")


def evening(series: TrafficSeries) -> go.Figure:
    """The outlook and the plan of noon, and what came."""
    outlook = train_outlook(series, NOON, OutlookConfig(horizon=timedelta(hours=12))).outlook
    matches = [
        EventSpan(one.start, one.end, one.name)
        for one in sample_matches()
        if outlook.start - timedelta(hours=3) <= one.start < outlook.end
    ]
    return outlook_figure(
        series.before(outlook.end),
        outlook,
        plan=build_plan(outlook, RULE),
        events=matches,
        tail=timedelta(hours=3),
        title="A match evening: what was known at noon, and what came",
    )


def night(series: TrafficSeries) -> go.Figure:
    """The same evening replayed: an HPA, and Preroll, at settings with about equal shortage."""
    settings = ReplaySettings(RULE.capacity_rps, RULE.lead_time)
    asked = Night(series, NOON, NOON + timedelta(hours=10), settings, quantile=0.98)
    origins = [work_night(task)[1] for task in enumerate(night_tasks(asked))]
    replay = replay_night(asked, origins, ("hpa", "preroll"))
    return night_figure(replay, title="The same evening, replayed minute by minute")


if __name__ == "__main__":
    main()
