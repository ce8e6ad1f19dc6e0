"""What somebody should see to before the match: ``/v1/warnings``."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from api.answers import json_answer
from api.cluster_schemas import WarningsView
from api.cluster_views import warnings_view
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
        return json_answer(200, warnings_view(cluster()).model_dump_json()).response()

    return router
