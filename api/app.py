"""The service as one application: targets for KEDA first, everything else behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

from api.auth import Guards
from api.errors import add_error_handlers
from api.exposition import CONTENT_TYPE, MetricsPage
from api.headroom import Headrooms
from api.openapi import describe_event_routes, describe_target_route, describe_tokens
from api.routes.docs import docs_router
from api.routes.events import events_router
from api.routes.headroom import headroom_router
from api.routes.health import health_router
from api.routes.targets import TargetRoute
from api.routes.warnings import warnings_router
from api.routes.workloads import workloads_router
from forecaster.planning.snapshot import Snapshot
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.programme import Programme

__all__ = ["PrerollAPI", "create_app"]

_TITLE = "Preroll"
_GUARDED = "/v1"
_TARGETS = f"{_GUARDED}/targets/"


class PrerollAPI(FastAPI):
    """FastAPI with two things ahead of its routing: the tokens, and the route KEDA reads.

    Everything under /v1 asks for a token where there are any, so that a new route cannot forget
    to. A target skips the framework's stack of middleware, which costs more than the target.
    """

    def __init__(self, guards: Guards, targets: TargetRoute) -> None:
        super().__init__(
            title=_TITLE,
            description="How many replicas each workload needs when one asked for now is ready.",
            version="1",
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,  # a redirect would name whatever host the request named
        )
        self._guards = guards
        self._targets = targets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        root, path = scope.get("root_path", ""), scope["path"]
        below = path.removeprefix(root)
        refusal = (
            self._guards.refusal(scope["method"], below, scope["headers"])
            if below.startswith(_GUARDED)
            else None
        )
        if refusal is not None:
            await refusal.send(send)
        elif below.startswith(_TARGETS):
            workload = below[len(_TARGETS) :].removesuffix("/")
            await self._targets.respond(scope["method"], workload, send)
        else:
            if path.endswith("/") and below != "/":
                scope = {**scope, "path": path[:-1]}
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The schema of every route, the one ahead of the routing included."""
        schema = super().openapi()
        describe_target_route(schema)
        if self._guards.readers.closed:
            describe_tokens(schema, _GUARDED)
        describe_event_routes(schema)
        return schema


def create_app(
    snapshot: Callable[[], Snapshot],
    *,
    clock: Callable[[], datetime],
    tokens: Sequence[str] = (),
    events: Programme | None = None,
    events_tokens: Sequence[str] = (),
    cluster: Callable[[], ClusterView] = lambda: NOTHING_KNOWN,
    node_lead_time: timedelta = timedelta(minutes=5),
    old_metrics: bool = False,
) -> FastAPI:
    """The service over what ``snapshot`` returns at each request; ``clock`` gives aware UTC.

    It starts nothing: whoever runs it replaces the snapshot. With ``tokens``, every request under
    /v1 must carry one of them, or of ``events_tokens``, which changes of events need; ValueError
    where one cannot be sent in a header. Without ``events`` there are none to ask for. ``cluster``
    gives what is known of it at each request; ``node_lead_time`` is the lead time on a new node,
    until that is measured. ``old_metrics``: whether /metrics has those of
    prescaling-exporter as well.
    """
    targets = TargetRoute(snapshot, clock)
    app = PrerollAPI(Guards(tokens, events_tokens), targets)
    if events is None:
        app.include_router(workloads_router(snapshot, clock, cluster=cluster))
    else:
        app.include_router(workloads_router(snapshot, clock, events.concerning, cluster))
        app.include_router(events_router(events, snapshot, clock))
    headrooms = Headrooms(cluster, node_lead_time)
    app.include_router(headroom_router(snapshot, clock, headrooms))
    app.include_router(warnings_router(cluster))
    app.include_router(health_router(snapshot))
    app.include_router(docs_router(_TITLE))
    page = MetricsPage(snapshot, clock, targets.answers, headrooms, events, cluster, old_metrics)

    @app.get(
        "/metrics",
        summary="The metrics, for Prometheus",
        tags=["metrics"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(await page.text(), headers={"content-type": CONTENT_TYPE})

    add_error_handlers(app)
    return app
