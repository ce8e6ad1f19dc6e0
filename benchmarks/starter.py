"""``python -m benchmarks.starter --data DIR``: train the starter model that the wheel carries.

Only traces that may ship with the project teach it; forecaster/models/peak/starter.txt lists them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.models.peak.boosting import BoostingConfig
from forecaster.models.peak.fleet import FleetMember, fleet_rows, model_of_rows
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.starter import day_prints
from forecaster.models.peak.training import PeakConfig, TeachingRows
from forecaster.models.selection import train_outlook
from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries

TRACES = {
    "worldcup98-groupstage-1min": "HTTP requests to a tournament's site, 1998 (with its notice)",
    "nasa-http-1995-1min": "HTTP requests to NASA's site, 1995 (ITA, freely distributable)",
    "aws-elb-requests-5min": "requests at a load balancer, 2014 (NAB, MIT)",
    "tweets-aapl-5min": "tweets about a company, 2015 (NAB, MIT)",
    "azure-llm-conv-10s": "LLM requests, 2023 (Azure public dataset, CC-BY-4.0)",
    "many-azure-functions-2019-1min": "invocations of 500 functions, 2019 (Azure, CC-BY-4.0)",
}
LEADS = (1, 2, 5, 10, 15, 30, 60)
CONFIG = PeakConfig(
    rows=24_000,
    location=BoostingConfig(rounds=200, leaves=31, learning_rate=0.06),
    scale=BoostingConfig(rounds=100, leaves=31),
)
FOLDER = Path(__file__).parent.parent / "forecaster" / "models" / "peak"


def members(name: str, folder: Path) -> Iterator[FleetMember]:
    """Each series of a trace at its step and coarser ones, for several lead times."""
    history = read_traffic(folder / f"{name}.csv.gz", ReadOptions(unit=Unit.REQUESTS)).history
    for series in history:
        for factor in (1, 5, 15) if len(history) == 1 else (1,):
            coarse = coarser(series, factor)
            if coarse.step > timedelta(minutes=15) or len(coarse) < 200:
                continue
            try:
                path = train_outlook(coarse, coarse.end).path
            except HistoryTooShort:
                path = None
            leads = LEADS if len(history) == 1 else LEADS[len(series.series_id) % len(LEADS) :][:2]
            steps = {max(1, -(-timedelta(minutes=lead) // coarse.step)) for lead in leads}
            for lead_steps in sorted(steps):
                yield FleetMember(coarse, path, lead_steps)


def coarser(series: TrafficSeries, factor: int) -> TrafficSeries:
    """Means of ``factor`` steps; a gap where one of them is."""
    if factor == 1:
        return series
    whole = series.rate_rps[: len(series) // factor * factor].reshape(-1, factor).mean(axis=1)
    return TrafficSeries(series.series_id, series.start, factor * series.step, whole)


def rows_of(name: str, folder: Path) -> TeachingRows:
    rows = fleet_rows(list(members(name, folder)), CONFIG)
    assert rows is not None
    return rows


def starter_of(rows: list[TeachingRows]) -> LeadPeakModel:
    """The model of several traces' rows; each trace is a block that the others foretell."""
    joined = TeachingRows(
        np.concatenate([one.features for one in rows]),
        np.concatenate([one.log_rise for one in rows]),
        np.concatenate([one.weight for one in rows]),
        np.concatenate([np.full(len(one), number) for number, one in enumerate(rows)]),
    )
    return model_of_rows(
        joined, datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1), 5, Taught.STARTER, CONFIG
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the traces")
    folder = parser.parse_args().data
    rows, prints = [], []
    for name in TRACES:
        rows.append(rows_of(name, folder))
        print(f"  {name}: {len(rows[-1]):,} rows", flush=True)
        history = read_traffic(folder / f"{name}.csv.gz", ReadOptions(unit=Unit.REQUESTS)).history
        prints += [day_prints(series) for series in history]
    model = starter_of(rows)
    (FOLDER / "starter.npz").write_bytes(model.to_bytes())
    np.save(FOLDER / "starter-days.npy", np.unique(np.concatenate(prints)))
    lines = [f"{name}: {told}" for name, told in TRACES.items()]
    (FOLDER / "starter.txt").write_text(
        "The starter model was trained on these traces; it holds none of their values.\n\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
