"""What is known of a cluster, for the endpoint's tests, and one question to the endpoint."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx

from api.app import create_app
from forecaster.cluster.delivered import DeliveredMinutes, Delivery
from forecaster.cluster.fit_warning import FitWarning, Limit, Span
from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.seen import AutoscalerSeen, Scaled, ScaledObjectSeen, TargetRef
from forecaster.cluster.standing import Reason, Shortfall
from forecaster.cluster.start_up_summary import Spread, StartUpSummary
from forecaster.events import Event
from forecaster.planning.snapshot import Snapshot
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.cluster_messages import ClusterHealth, SeenLead, SeenWorkload
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView, ClusterWorkload
from forecaster.worker.late_events import LateEvent
from tests.api.plans import NOW, snapshot, state

PLAYER = "streaming/player-api"
TARGET = TargetRef("Deployment", "player-api")
HPA = AutoscalerSeen(
    "streaming", "keda-hpa-player-api", TARGET, 2, 100, 30, 34, "TooFewReplicas: x"
)
SEEN = SeenWorkload(
    Scaled("streaming", TARGET, 34, 29),
    ScaledObjectSeen("streaming", "player", "u", "1", TARGET, 3, 90, paused=True),
    HPA,
    ready=28,
    pods=34,
)
LEAD = SeenLead(
    MeasuredLead(timedelta(minutes=2), "p95 1m35s of 38 start-ups + 18s", timedelta(seconds=113)),
    StartUpSummary(
        38, total=Spread(42.0, 95.0), scheduling=Spread(1.0, 2.5), starting=Spread(38.0, 88.0)
    ),
)
CAPACITY = MeasuredCapacity(118.5, "11 days at 70 %", NOW - timedelta(days=2), provisional=True)


def minutes(on_time: int, **missed: int) -> DeliveredMinutes:
    """Minutes met, and missed by the names of reasons."""
    return DeliveredMinutes((on_time, *(missed.get(one.name, 0) for one in Reason)))


DELIVERY = Delivery(
    PLAYER,
    NOW.timestamp(),
    target=40,
    due=34,
    ready=28,
    short=Shortfall(6, Reason.DEAD_BAND, "34 is within 10 % of 31"),
    last_day=minutes(1425, DEAD_BAND=12, QUOTA=3),
    total=minutes(90, DEAD_BAND=10),
)
EVERYTHING = ClusterWorkload(SEEN, LEAD, CAPACITY, DELIVERY)
FIT = FitWarning(
    Limit.QUOTA,
    "streaming",
    "compute",
    "requests.cpu",
    (Span(NOW + timedelta(hours=3), NOW + timedelta(hours=4), 120.0, NOW + timedelta(hours=3)),),
    80.0,
    "raise requests.cpu to 120",
    3.0,
    (PLAYER, "streaming/chat"),
)
MAXIMUM = replace(FIT, limit=Limit.MAXIMUM, name="chat", resource="replicas", workloads=())
LATE = LateEvent(Event(NOW, NOW + timedelta(hours=2), "football"), PLAYER, "Final: announced late")
HEALTH = ClusterHealth(
    ("pods in all namespaces: cannot connect",),
    {"Pod": 50_000, "ScaledObject": 5_000, "Node": 0},
    {"Pod": NOW.timestamp() - 90.5, "ScaledObject": None},
)
VIEW = ClusterView(
    True,
    {PLAYER: EVERYTHING, "streaming/chat": ClusterWorkload(), "ads/breaks": ClusterWorkload()},
    (FIT, MAXIMUM),
    (LATE,),
    HEALTH,
    ("ScaledObject ads/x: preroll.io/capacity: much is no number",),
)


def asked(
    path: str, view: ClusterView = NOTHING_KNOWN, of: Snapshot | None = None
) -> httpx.Response:
    """What the endpoint answers."""
    known = snapshot(state(PLAYER), state("streaming/chat")) if of is None else of
    app = create_app(lambda: known, clock=lambda: NOW, cluster=lambda: view)
    transport = httpx.ASGITransport(app)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://preroll") as client:
            return await client.get(path)

    return asyncio.run(ask())
