"""Liveness and readiness."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from api.answers import json_answer
from api.pacing import in_turns
from api.schemas import HealthView, ReadinessView
from forecaster.planning.snapshot import Snapshot

__all__ = ["health_router"]


def health_router(snapshot: Callable[[], Snapshot]) -> APIRouter:
    """``/healthz`` and ``/readyz``: open to all, for the kubelet has no token."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process answers")
    async def healthz() -> HealthView:
        return HealthView()

    @router.get(
        "/readyz",
        summary="Whether every workload has a plan or a stated reason for having none",
        response_model=ReadinessView,
        responses={503: {"model": ReadinessView, "description": "Training is not done yet"}},
    )
    async def readyz() -> Response:
        states = snapshot().workloads.values()
        waiting = 0
        async for state in in_turns(states):
            waiting += not state.settled
        view = ReadinessView(
            status="starting" if waiting else "ready", workloads=len(states), waiting=waiting
        )
        return json_answer(503 if waiting else 200, view.model_dump_json()).response()

    return router
