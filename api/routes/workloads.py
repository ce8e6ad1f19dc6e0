"""What is known of the workloads, for people and for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api.answers import json_answer
from api.event_views import band_of
from api.forecast import forecast_view, parse_query, span_of
from api.pacing import in_turns
from api.schemas import ErrorView, ForecastView, QueryErrorView, WorkloadsView
from api.views import workload_view
from forecaster.planning.snapshot import Snapshot
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.event_book import KnownEvent

__all__ = ["Bands", "workloads_router"]

Bands = Callable[[str, datetime, datetime], Sequence[KnownEvent]]
"""The events that concern ``namespace/name`` between two instants."""

_RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorView, "description": "No such workload is configured"},
    422: {"model": QueryErrorView, "description": "A parameter cannot be used; the field is named"},
    503: {"model": ErrorView, "description": "There is no plan; the reason says why"},
}


def workloads_router(
    snapshot: Callable[[], Snapshot],
    clock: Callable[[], datetime],
    bands: Bands = lambda _workload, _since, _until: (),
    cluster: Callable[[], ClusterView] = lambda: NOTHING_KNOWN,
) -> APIRouter:
    """``/v1/workloads`` and ``/v1/workloads/{namespace}/{name}/forecast``."""
    router = APIRouter(prefix="/v1/workloads", tags=["workloads"])

    @router.get(
        "",
        summary="Every workload: its rule, its target with the reasons, its plan, its training",
        response_model=WorkloadsView,
    )
    async def workloads() -> Response:
        now, seen, around = clock(), snapshot(), cluster()
        rows = [
            workload_view(state, now, around.of(state.workload)).model_dump_json().encode()
            async for state in in_turns(seen.workloads.values())
        ]
        rest = WorkloadsView(workloads=[], notices=list(seen.notices)).model_dump_json().encode()
        head, bracket, tail = rest.partition(b"[")
        return json_answer(200, b"".join((head, bracket, b",".join(rows), tail))).response()

    @router.get(
        "/{namespace}/{name}/forecast",
        summary="The outlook and the plan as a time series, with the events as marked bands",
        response_model=ForecastView,
        responses=_RESPONSES,
    )
    async def forecast(
        namespace: Annotated[str, Path(examples=["streaming"])],
        name: Annotated[str, Path(examples=["player-api"])],
        quantiles: Annotated[
            str | None,
            Query(
                description="Quantiles of traffic, with commas between them; "
                "where absent 0.5 and the quantile of the workload's rule.",
                examples=["0.5,0.98"],
            ),
        ] = None,
        start: Annotated[
            str | None,
            Query(
                alias="from",
                description="Leave out the steps that ended by this instant (ISO 8601 with zone).",
                examples=["2026-05-01T18:00:00Z"],
            ),
        ] = None,
        end: Annotated[
            str | None,
            Query(
                alias="to",
                description="Leave out the steps that start at this instant or later.",
                examples=["2026-05-01T23:00:00Z"],
            ),
        ] = None,
    ) -> Response:
        state = snapshot().state(f"{namespace}/{name}")
        if state.plan is None:
            raise state.no_plan()
        query = parse_query(state.plan, quantiles, start, end)
        found = bands(state.workload, *span_of(state.plan, query))
        view = forecast_view(state, state.plan, query, [band_of(one) for one in found])
        return json_answer(200, view.model_dump_json()).response()

    return router
