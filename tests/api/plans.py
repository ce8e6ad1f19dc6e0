"""States and snapshots for the endpoint's tests, made from the bundled trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
import pandas as pd

from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.models.peak import Taught
from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.planning.live import Live, ToldPeak
from forecaster.planning.plan import Plan, build_plan
from forecaster.planning.snapshot import (
    ObservedTraffic,
    Snapshot,
    TrainingState,
    WorkloadState,
)
from forecaster.traffic.history import FloatArray

# The tournament's eve and opening day, and the minute before a kick-off.
START = datetime(1998, 6, 10, tzinfo=UTC)
NOW = datetime(1998, 6, 10, 15, 29, 30, tzinfo=UTC)
RULE = ScalingRule(capacity_rps=25, min_replicas=2, max_replicas=60)


@cache
def real_rates(step: timedelta = timedelta(minutes=1)) -> FloatArray:
    """Two days of the bundled trace from START, requests per second at ``step``."""
    raw = files("forecaster.traffic").joinpath("data", "worldcup98-groupstage-1min.csv.gz")
    table = pd.read_csv(BytesIO(raw.read_bytes()), compression="gzip", parse_dates=["timestamp"])
    wanted = table["timestamp"].between(START, START + timedelta(days=2), inclusive="left")
    per_minute = table.loc[wanted, "value"].to_numpy(dtype=np.float64)
    minutes = int(step / timedelta(minutes=1))
    return per_minute.reshape(-1, minutes).mean(axis=1) / 60


def outlook(
    workload: str = "streaming/player-api", step: timedelta = timedelta(minutes=1)
) -> Outlook:
    """An outlook whose median is what then came."""
    factors = np.array([0.5 + quantile for quantile in DEFAULT_QUANTILES])
    return Outlook(
        series_id=workload,
        cutoff=START,
        start=START,
        step=step,
        quantiles=DEFAULT_QUANTILES,
        rate_rps=factors[:, None] * real_rates(step)[None, :],
        model="hindsight",
        reasons=("chosen over nothing",),
    )


def plan(workload: str = "streaming/player-api", rule: ScalingRule = RULE) -> Plan:
    """A plan by the production planner."""
    return build_plan(outlook(workload), rule)


def state(workload: str = "streaming/player-api", rule: ScalingRule = RULE) -> WorkloadState:
    """A workload that was trained and has fresh traffic."""
    namespace, _, name = workload.partition("/")
    return WorkloadState(
        namespace,
        name,
        rule,
        plan(workload, rule),
        observed=ObservedTraffic(NOW - timedelta(seconds=90), 812.25),
        training=TrainingState(START + timedelta(seconds=3), 2.5, runs=4, failures=1),
    )


def live(peak_rps: float = 1000.5, at: datetime = NOW.replace(second=0)) -> Live:
    """Live traffic that ended half a minute ago."""
    told = ToldPeak(at, timedelta(minutes=1), 5, 812.25, 0.98, peak_rps, Taught.OWN)
    return Live(told, timedelta(minutes=4))


def untrained(workload: str, reason: str | None = None) -> WorkloadState:
    """A workload with no plan, and perhaps a reason for that."""
    namespace, _, name = workload.partition("/")
    return WorkloadState(namespace, name, RULE, reason=reason)


def with_mode(mode: Mode) -> ScalingRule:
    """RULE in another mode."""
    return ScalingRule(capacity_rps=25, min_replicas=2, max_replicas=60, mode=mode)


def snapshot(*states: WorkloadState, notices: tuple[str, ...] = ()) -> Snapshot:
    """A snapshot of these."""
    return Snapshot({one.workload: one for one in states}, notices)
