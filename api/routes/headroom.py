"""What KEDA reads for placeholder pods: ``GET /v1/headroom/{namespace}/{name}``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.answers import json_answer
from api.headroom import Headrooms, HeadroomView
from api.schemas import ErrorView
from forecaster.planning.snapshot import Snapshot

__all__ = ["headroom_router"]


def headroom_router(
    snapshot: Callable[[], Snapshot], clock: Callable[[], datetime], headrooms: Headrooms
) -> APIRouter:
    """200 with ``replicas`` and the reasons, 0 where in doubt; 404 for an unknown workload."""
    router = APIRouter(prefix="/v1/headroom", tags=["targets"])

    @router.head("/{namespace}/{name}", include_in_schema=False)
    @router.get(
        "/{namespace}/{name}",
        summary="How many placeholder pods hold places on nodes for a workload, with the reasons",
        description="The number that the `metrics-api` trigger of a workload's placeholders reads, "
        "`valueLocation: replicas`. It is 0 in shadow and off mode, without a plan, and where the "
        "lead time covers a new node; never a 503, for on an error the HPA holds the placeholders, "
        "and these cost nodes.",
        response_model=HeadroomView,
        responses={404: {"model": ErrorView, "description": "No such workload is configured"}},
    )
    async def headroom(
        namespace: Annotated[str, Path(examples=["streaming"])],
        name: Annotated[str, Path(examples=["player-api"])],
    ) -> Response:
        state = snapshot().state(f"{namespace}/{name}")
        view = headrooms.view(clock(), state)
        return json_answer(200, view.model_dump_json()).response()

    return router
