"""The README's picture: one real match evening, drawn by plots.py, photographed by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecaster.models import OutlookConfig, train_outlook
from forecaster.planning import ScalingRule, build_plan
from forecaster.plots import EventSpan, outlook_figure
from forecaster.traffic.sample import sample_history, sample_matches

NOON = datetime(1998, 6, 18, 12, 0, tzinfo=UTC)
RULE = ScalingRule(capacity_rps=50.0, lead_time=timedelta(minutes=5), quantile=0.9)
SIZE = (1200, 640)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m benchmarks.picture docs/match-evening.png")
    target = Path(sys.argv[1])
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed (Debian: chromium)")
    series = next(iter(sample_history()))
    outlook = train_outlook(series, NOON, OutlookConfig(horizon=timedelta(hours=12))).outlook
    plan = build_plan(outlook, RULE)
    matches = [
        EventSpan(one.start, one.end, one.name)
        for one in sample_matches()
        if outlook.start - timedelta(hours=3) <= one.start < outlook.end
    ]
    shown = series.before(outlook.end)
    figure = outlook_figure(
        shown,
        outlook,
        plan=plan,
        events=matches,
        tail=timedelta(hours=3),
        title="A match evening: what was known at noon, and what came",
    )
    figure.update_layout(width=SIZE[0], height=SIZE[1])
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "picture.html"
        page.write_text(
            figure.to_html(include_plotlyjs=True, config={"displayModeBar": False}), "utf-8"
        )
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--hide-scrollbars",
                "--disable-background-networking",
                f"--user-data-dir={folder}/profile",
                f"--window-size={SIZE[0] + 16},{SIZE[1] + 16}",
                "--virtual-time-budget=5000",
                f"--screenshot={target.absolute()}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
