"""What somebody should see to before the match: ``/v1/warnings``."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from api.answers import json_answer
from api.cluster_schemas import WarningsView
from api.cluster_views import warning_views
from api.pacing import in_turns
from forecaster.worker.cluster_view import ClusterView

__all__ = ["warnings_router"]


def warnings_router(cluster: Callable[[], ClusterView]) -> APIRouter:
    """``/v1/warnings``."""
    router = APIRouter(prefix="/v1/warnings", tags=["workloads"])

    @router.get(
        "",
        summary="What will not fit, which events came too late, and what is wrong with objects",
        response_model=WarningsView,
    )
    async def warnings() -> Response:
        known = cluster()
        rows = [one.model_dump_json().encode() async for one in in_turns(warning_views(known))]
        rest = WarningsView(watched=known.watched, warnings=[]).model_dump_json().encode()
        head, bracket, tail = rest.partition(b"[")
        return json_answer(200, b"".join((head, bracket, b",".join(rows), tail))).response()

    return router
