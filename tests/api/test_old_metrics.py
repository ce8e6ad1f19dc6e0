"""prescaling-exporter's metrics at /metrics, from the manifests that it ran on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from forecaster.cluster.seen import Scaled, TargetRef
from forecaster.planning.capacity import ScalingRule
from forecaster.programme.options import ReadOptions
from forecaster.programme.source import CalendarSource
from forecaster.settings import EventSettings, Fleet, WorkloadSettings
from forecaster.store import PlanStore
from forecaster.worker.cluster_messages import SeenWorkload
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView, ClusterWorkload
from forecaster.worker.programme import Programme
from tests.api.plans import snapshot, state
from tests.api.service import samples

MANIFESTS = Path(__file__).parents[2] / "deploy" / "examples" / "prescaling-manifests.yaml"
PLAYER, LOGIN = "streaming/player-api", "accounts/login"
FLEET = Fleet(
    (
        WorkloadSettings("streaming", "player-api", ScalingRule(25), {"project": "tv"}),
        WorkloadSettings("accounts", "login", ScalingRule(25)),
    )
)
AS_IT_IS = ("player-api", "streaming", "tv")  # deployment, namespace, project


def page(tmp_path, clock, cluster=NOTHING_KNOWN, on=True):
    """What /metrics says at a time of the final's day, Paris time."""
    now = datetime.fromisoformat(f"{clock}+02:00").astimezone(UTC)
    PlanStore(tmp_path / "s.sqlite").close()
    source = CalendarSource("old", MANIFESTS, options=ReadOptions(timezone="Europe/Paris"))
    settings = EventSettings(sources=(source,))
    events = Programme(settings, FLEET, tmp_path / "s.sqlite", lambda: now)
    events.load(now)
    states = snapshot(state(PLAYER), state(LOGIN))
    app = create_app(
        lambda: states,
        clock=lambda: now,
        events=events,
        cluster=lambda: cluster,
        old_metrics=on,
    )

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://preroll") as client:
            return (await client.get("/metrics")).text

    return asyncio.run(ask())


def with_replicas(replicas, ready):
    scaled = Scaled("streaming", TargetRef("Deployment", "player-api"), replicas, ready)
    return ClusterView(True, {PLAYER: ClusterWorkload(SeenWorkload(scaled, ready=ready))})


# A window of 12 replicas from 20:00 to midnight; the final, ×3, from 20:30 to half past midnight.
@pytest.mark.parametrize(
    ("clock", "wanted", "times", "metric"),
    [
        ("2026-07-18T12:00", 0, 1.0, 0.0),
        ("2026-07-18T21:00", 12, 1.0, 12.0),
        ("2026-07-19T21:00", 36, 3.0, 12.0),
        ("2026-07-20T00:15", 36, 3.0, 12.0),  # across midnight, where the exporter's has ended
        ("2026-07-20T01:00", 0, 1.0, 0.0),
    ],
)
def test_what_is_declared_is_served_under_the_old_names(tmp_path, clock, wanted, times, metric):
    text = page(tmp_path, clock, with_replicas(10, 10))
    assert samples(text, "prescaling_replicas")[AS_IT_IS] == wanted
    assert samples(text, "prescaling_min_replica")[AS_IT_IS] == 12
    assert samples(text, "prescaling_multiplier")[AS_IT_IS] == times
    assert samples(text, "prescaling_metric")[AS_IT_IS] == metric


def test_without_a_cluster_the_metric_that_needs_replicas_has_no_sample(tmp_path):
    text = page(tmp_path, "2026-07-19T21:00")
    assert AS_IT_IS not in samples(text, "prescaling_metric")
    assert samples(text, "prescaling_replicas")[AS_IT_IS] == 36


def test_they_are_served_only_where_they_are_wanted(tmp_path):
    assert "prescaling" not in page(tmp_path, "2026-07-19T21:00", on=False)
