"""A replay as files: rows, JSON and a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from forecaster.backtest import PolicyReplay, policies_json
from forecaster.backtest.night import NightReplay
from forecaster.cli.replay_words import notes, verdict, window_words
from forecaster.plots import PageTable, figures_page
from forecaster.plots.night import night_figure

__all__ = ["replay_json", "replay_page", "replay_rows"]


def replay_rows(replays: Sequence[NightReplay]) -> Iterator[tuple[object, ...]]:
    """A row for each step, the header first; of several workloads a last column names them.

    Traffic is per second; asked, ready and short are means of the step, in replicas; a gap is
    empty.
    """
    several = len(replays) > 1
    header = ["timestamp", "traffic"]
    for one in replays[0].policies:
        header += [f"{one.name}_asked", f"{one.name}_ready", f"{one.name}_short"]
    yield (*header, *(["series"] if several else []))
    for replay in replays:
        for step, rate in enumerate(replay.span.rate_rps.tolist()):
            row: list[object] = [_stamp(_at(replay, step)), _cell(rate)]
            for one in replay.policies:
                row += [_cell(float(values[step])) for values in (one.asked, one.ready, one.short)]
            yield (*row, *([replay.night.series.series_id] if several else []))


def replay_json(replays: Sequence[NightReplay]) -> dict[str, Any]:
    """Every workload by its name: the window, the settings, the policies' measures, every step."""
    return {"workloads": {one.night.series.series_id: _workload_json(one) for one in replays}}


def _workload_json(replay: NightReplay) -> dict[str, Any]:
    night = replay.night
    settings = night.settings
    return {
        "at": _stamp(night.start),
        "until": _stamp(night.end),
        "timezone": night.timezone,
        "local_at": night.start.astimezone(ZoneInfo(night.timezone)).isoformat(),
        "step_seconds": night.series.step_seconds,
        "capacity_rps": settings.capacity_rps,
        "lead_time_seconds": settings.lead_time.total_seconds(),
        "quantile": night.quantile,
        "utilisation": night.utilisation,
        "trained": [_stamp(one) for one in replay.trained],
        "taught": [one.value for one in replay.taught],
        "verdict": verdict(replay),
        "notes": notes(replay),
        "needed_replica_hours": replay.oracle.measures.replica_hours,
        "policies": policies_json(replay.policies),
        "shortages": {one.name: _shortages(one) for one in replay.policies},
        "steps": [_step_json(replay, step) for step in range(len(replay.span))],
    }


def _step_json(replay: NightReplay, step: int) -> dict[str, Any]:
    return {
        "timestamp": _stamp(_at(replay, step)),
        "traffic_rps": _plain(float(replay.span.rate_rps[step])),
        "needed": int(replay.needed[step]),
        "lead_peak_rps": _plain(float(replay.lead_peak_rps[step])),
        "source": "lead_peak" if replay.live[step] else "outlook",
        "policies": {
            one.name: {
                "asked": _plain(float(one.asked[step])),
                "ready": _plain(float(one.ready[step])),
                "short": _plain(float(one.short[step])),
            }
            for one in replay.policies
        },
    }


def _shortages(one: PolicyReplay) -> list[dict[str, Any]]:
    return [
        {
            "start": _stamp(short.start),
            "end": _stamp(short.end),
            "unserved_requests": _plain(short.unserved_requests),
            "missing_replicas": short.missing_replicas,
        }
        for short in one.shortages
    ]


def replay_page(replays: Sequence[NightReplay], tables: Sequence[PageTable]) -> str:
    """The HTML page: for each workload the verdict, its table, who spoke, and the figure."""
    title = window_words(replays[0]) if len(replays) == 1 else f"{len(replays)} workloads again"
    said = []
    for replay in replays:
        before = f"{window_words(replay)}: " if len(replays) > 1 else ""
        said += [f"{before}{verdict(replay)}", *notes(replay)]
    return figures_page(title, [night_figure(one) for one in replays], tables=tables, notes=said)


def _at(replay: NightReplay, step: int) -> datetime:
    return replay.night.start + step * replay.night.series.step


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _cell(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else ""


def _plain(value: float) -> float | None:
    return float(f"{value:.10g}") if math.isfinite(value) else None
